/** What a test of the data path cannot do without; empty when all is there. */
import { execFileSync } from "node:child_process";

const TOOLS = [
  ["ip", "-V"],
  ["nft", "--version"],
  ["tc", "-V"],
  ["ping", "-V"],
] as const;

/** One sentence for each tool that is missing. @throws Error when CI is set and something is missing */
export function missing(): string[] {
  const found = TOOLS.flatMap(([tool, option]) => {
    try {
      execFileSync(tool, [option], { stdio: "ignore" });
      return [];
    } catch {
      return [`${tool} does not run`];
    }
  });
  const all = process.getuid?.() === 0 ? found : [...found, "not root"];
  if (all.length > 0 && process.env.CI) throw new Error(`test needs more than there is: ${all.join(", ")}`);
  if (all.length > 0) console.warn(`skipped: ${all.join(", ")}`);
  return all;
}

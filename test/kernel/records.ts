/** What iproute2 says of the namespace that the test runs in. */
import { execFileSync } from "node:child_process";

export const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8", stdio: "pipe" });

/** Records of a program that speaks JSON with `-j`. */
// biome-ignore lint/suspicious/noExplicitAny: records of other programs, compared by toMatchObject
export const json = (program: string, ...args: string[]): any[] =>
  JSON.parse(execFileSync(program, ["-j", ...args], { encoding: "utf8", stdio: "pipe" }) || "[]");

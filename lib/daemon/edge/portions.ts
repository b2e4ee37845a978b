/** What a router takes at once. */
import type { Command } from "#lib/vyos/vyos.ts";

/** nginx on the router takes no request beyond `service https request-body-size-limit`, which is 1 MB unless its operator says otherwise. */
const LARGEST_BYTES = 1_000_000;

/** The commands in their order; one commit, unless they are thousands. */
export function portions(commands: readonly Command[]): Command[][] {
  const all: Command[][] = [];
  let left = 0;
  for (const command of commands) {
    const bytes = bytesOf(command);
    if (bytes > left) {
      all.push([]);
      left = LARGEST_BYTES;
    }
    all.at(-1)?.push(command);
    left -= bytes;
  }
  return all;
}

/** As a part of a form, with what stands between two. */
const bytesOf = (command: Command): number => new URLSearchParams({ ",": JSON.stringify(command) }).toString().length;

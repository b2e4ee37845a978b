/** `selvedgectl`, the operator's window: one question to the daemon, printed. Compiled by Bun; runs on Node as well. */
import { askOver } from "#lib/ctl/ask.ts";
import { run } from "#lib/ctl/run.ts";

declare const SELVEDGE_VERSION: string | undefined;

const { SELVEDGE_SOCKET, NO_COLOR, TERM } = process.env;
const { out, err, exit } = await run(process.argv.slice(2), {
  version: typeof SELVEDGE_VERSION === "string" ? SELVEDGE_VERSION : "development",
  socket: SELVEDGE_SOCKET || "/run/selvedge/selvedged.sock",
  colours: process.stdout.isTTY && !NO_COLOR && TERM !== "dumb",
  widthColumns: process.stdout.isTTY ? process.stdout.columns : undefined,
  connect: askOver,
});
// The reader of a pipe may have seen enough: `selvedgectl attachments | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});
process.stderr.write(err);
process.stdout.write(out);
process.exitCode = exit;

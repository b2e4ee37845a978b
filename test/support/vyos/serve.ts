/**
 * A stand-in as a process, for a namespace that is a router: `serve.ts VERSION CERTIFICATE KEY HOST PORT API-KEY DIRECTORY`.
 * What is committed becomes real there: routes, BGP sessions, NAT. FRR's sockets are in the directory.
 */
import type { Version } from "#lib/edge/dialect.ts";
import { machine } from "./machine.ts";
import { standin } from "./standin.ts";

const [version = "1.4", certificate = "", key = "", host = "", port = "0", apiKey = "", directory = ""] =
  process.argv.slice(2);
const below = await machine(directory);
const { make: onCommit, show } = below;
const router = await standin(version as Version, { certificate, key }, { host, port: Number(port), onCommit, show });
router.key = apiKey;
process.once("SIGTERM", async () => {
  await below[Symbol.asyncDispose]();
  process.exit();
});
process.stdout.write("ready\n");

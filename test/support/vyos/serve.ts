/**
 * A stand-in as a process, for a namespace that is a router: `serve.ts VERSION CERTIFICATE KEY HOST PORT API-KEY`. Static IPv4
 * routes become the kernel's, as VyOS has them after a commit; nothing else does.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Version } from "#lib/edge/dialect.ts";
import { nodeAt, type Tree } from "#lib/edge/tree.ts";
import { standin } from "./standin.ts";

const ip = (...words: string[]) => promisify(execFile)("ip", words);

/** By destination: gateways of the smallest distance. */
function routesIn(running: Tree): Map<string, string> {
  const routes = nodeAt(running, ["protocols", "static", "route"]) ?? new Map();
  return new Map(
    [...routes].flatMap(([to, below]) => {
      const hops = [...(nodeAt(below, ["next-hop"])?.keys() ?? [])].sort();
      return hops.length === 0 ? [] : [[to, hops.map((hop) => `nexthop via ${hop}`).join(" ")]];
    }),
  );
}

let made = new Map<string, string>();
async function onCommit(running: Tree): Promise<void> {
  const wanted = routesIn(running);
  for (const to of made.keys()) if (!wanted.has(to)) await ip("route", "del", to);
  for (const [to, hops] of wanted) if (made.get(to) !== hops) await ip("route", "replace", to, ...hops.split(" "));
  made = wanted;
}

const [version = "1.4", certificate = "", key = "", host = "", port = "0", apiKey = ""] = process.argv.slice(2);
const router = await standin(version as Version, { certificate, key }, { host, port: Number(port), onCommit });
router.key = apiKey;
process.stdout.write("ready\n");

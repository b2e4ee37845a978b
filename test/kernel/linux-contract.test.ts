import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { basename } from "node:path";
import { afterAll } from "@jest/globals";
import { tables } from "#lib/datapath/tables.ts";
import { linux } from "#lib/kernel/linux.ts";
import { keyDirectory } from "../support/keys.ts";
import { needing } from "../support/requirement.ts";
import { kernelContract, type Rig } from "./contract.ts";
import { singleContract } from "./contract-single.ts";
import { meddleLinux } from "./linux-meddling.ts";

const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8", stdio: "pipe" });

let made = 0;

/** Leaves the namespace that the test runs in as it was found: strangers' links and rules are removed too. */
function cleanUp(namespaces: readonly string[]): void {
  for (const name of namespaces) ip("netns", "del", name);
  const links = JSON.parse(ip("-j", "link")) as { ifname: string }[];
  for (const { ifname } of links) {
    if (ifname === "lo") continue;
    try {
      ip("link", "del", ifname);
    } catch {
      // A veth goes with its other end, and with the namespace of that.
    }
  }
  execFileSync("nft", ["flush", "ruleset"]);
}

const keys = keyDirectory();
afterAll(() => rmSync(keys, { recursive: true }));

async function open(): Promise<Rig> {
  const kernel = linux({ wireguard: { keys } });
  const namespaces = new Set<string>();
  return {
    kernel,
    async addNamespace() {
      const name = `contract${++made}`;
      ip("netns", "add", name);
      namespaces.add(name);
      return `/run/netns/${name}`;
    },
    async removeNamespace(path) {
      ip("netns", "del", basename(path));
      namespaces.delete(basename(path));
    },
    meddle: async (netns, change) => meddleLinux(netns === undefined ? undefined : basename(netns), change),
    async [Symbol.asyncDispose]() {
      await kernel.settled();
      await kernel[Symbol.asyncDispose]();
      cleanUp([...namespaces]);
    },
  };
}

const PROGRAMS = [{ program: "ip" }, { program: "tc" }, { program: "nft" }, { program: "bridge" }] as const;
kernelContract({ test: needing("root", ...PROGRAMS), tables: tables({ noMasquerade: [] }), open });
singleContract({
  needing: (...pieces) => needing("root", ...PROGRAMS, ...pieces.map((kernel) => ({ kernel }))),
  open,
});

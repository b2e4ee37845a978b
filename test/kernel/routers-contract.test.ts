/** The contract of a kernel, kept by one whose host is a router's namespace: everything there is as on the node. */
import { execFileSync } from "node:child_process";
import { basename } from "node:path";
import { tables } from "#lib/datapath/tables.ts";
import { linuxRouters } from "#lib/kernel/linux-routers.ts";
import { needing } from "../support/requirement.ts";
import { kernelContract } from "./contract.ts";
import { meddleLinux } from "./linux-meddling.ts";

const DIRECTORY = "/run/netns";
const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8", stdio: "pipe" });

let made = 0;

kernelContract({
  test: needing("root", { program: "ip" }, { program: "tc" }, { program: "nft" }),
  tables: tables({ noMasquerade: [] }),
  async open() {
    const routers = linuxRouters(DIRECTORY);
    // The first time it mounts the directory on itself, which would hide what is mounted in it before.
    ip("netns", "add", "first");
    ip("netns", "del", "first");
    const router = routers.open(`router${++made}`);
    ip("-n", basename(router.netns), "link", "set", "lo", "up");
    const namespaces = new Set<string>();
    return {
      kernel: router.kernel,
      async addNamespace() {
        const name = `inside${++made}`;
        ip("netns", "add", name);
        namespaces.add(name);
        return `${DIRECTORY}/${name}`;
      },
      async removeNamespace(path) {
        ip("netns", "del", basename(path));
        namespaces.delete(basename(path));
      },
      meddle: async (netns, change) =>
        meddleLinux(netns === undefined ? basename(router.netns) : basename(netns), change),
      async [Symbol.asyncDispose]() {
        await router.kernel.settled();
        await router[Symbol.asyncDispose]();
        for (const name of namespaces) ip("netns", "del", name);
        routers.remove(router.name);
      },
    };
  },
});

/**
 * A stand-in's VXLAN interfaces, outside of VRFs (vyos-1x python/vyos/ifconfig/vxlan.py): every other end gets what is for
 * everybody.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Tree } from "#lib/edge/tree.ts";
import { type Words, words } from "./words.ts";

const run = promisify(execFile);
/** Where frames for everybody, and for nobody known, go. */
const EVERYBODY = "00:00:00:00:00:00";

export interface Segments extends AsyncDisposable {
  make(running: Tree): Promise<void>;
}

export function segments(): Segments {
  /** By interface: all that it was made of. */
  const made = new Map<string, string>();
  const end = async (name: string): Promise<void> => {
    await run("ip", ["link", "del", name]);
    made.delete(name);
  };
  return {
    async make(running) {
      const config = words(running).at("interfaces", "vxlan");
      for (const name of [...made.keys()].filter((each) => !config.has(each))) await end(name);
      for (const name of config.names()) {
        const one = config.at(name);
        const { link, remotes, addresses } = partsOf(name, one);
        const text = JSON.stringify([link, remotes, addresses]);
        if (made.get(name) === text) continue;
        if (made.has(name)) await end(name);
        await run("ip", link);
        made.set(name, text);
        for (const remote of remotes) await run("bridge", ["fdb", "append", EVERYBODY, "dev", name, "dst", remote]);
        for (const address of addresses) await run("ip", ["addr", "add", address, "dev", name, "nodad"]);
        await run("ip", ["link", "set", name, "up"]);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const name of [...made.keys()]) await end(name);
    },
  };
}

function partsOf(name: string, one: Words) {
  const [vni = "", port = "4789", local = "", mtu = "1500"] = ["vni", "port", "source-address", "mtu"].map((leaf) =>
    one.one(leaf),
  );
  const kind = ["type", "vxlan", "id", vni, "dstport", port, "local", local];
  return {
    link: ["link", "add", name, "mtu", mtu, ...kind],
    remotes: one.names("remote"),
    addresses: one.names("address"),
  };
}

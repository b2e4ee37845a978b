/**
 * VRRP of a stand-in: FRR's vrrpd in the place of keepalived, which VyOS has, without its sync groups. Each virtual router is a
 * macvlan with the hardware address of RFC 9568, section 7.3 (docs.frrouting.org, "VRRP").
 */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Tree } from "#lib/edge/tree.ts";
import { run } from "#lib/frr/run.ts";
import { type Words, words } from "./words.ts";

const ip = (...argv: string[]) => promisify(execFile)("ip", argv);
const sysctl = (key: string, value: string): void => writeFileSync(`/proc/sys/net/${key}`, value);

interface VirtualRouter {
  readonly group: string;
  readonly link: string;
  readonly vrid: number;
  readonly config: Words;
  /** Without lengths. */
  readonly addresses: readonly string[];
}

const routersOf = (running: Tree): VirtualRouter[] => {
  const vrrp = words(running).at("high-availability", "vrrp");
  return vrrp.names("group").map((group) => {
    const config = vrrp.at("group", group);
    const addresses = config.names("address").map((each) => each.split("/")[0] ?? "");
    return { group, link: config.one("interface") ?? "", vrid: Number(config.one("vrid")), config, addresses };
  });
};
const isSix = ({ addresses }: VirtualRouter): boolean => addresses.some((each) => each.includes(":"));
const nameOf = (one: VirtualRouter): string => `vrrp${isSix(one) ? 6 : 4}-${one.vrid}`;

/** For FRR. */
export const vrrpText = (running: Tree): string =>
  routersOf(running)
    .flatMap(({ link, vrid, config, addresses }) => [
      `interface ${link}`,
      ` vrrp ${vrid}`,
      ` vrrp ${vrid} priority ${config.one("priority") ?? 100}`,
      ` vrrp ${vrid} advertisement-interval ${Number(config.one("advertise-interval") ?? 1) * 1_000}`,
      ...(config.has("no-preempt") ? [` no vrrp ${vrid} preempt`] : []),
      ...addresses.map((each) => ` vrrp ${vrid} ${each.includes(":") ? "ipv6" : "ip"} ${each}`),
      "exit",
      "",
    ])
    .join("\n");

/** As `show vrrp` of VyOS prints it (vyos-1x python/vyos/ifconfig/vrrp.py). @param json of FRR's `show vrrp json` */
export function vrrpTable(running: Tree, json: string): string {
  const told = JSON.parse(json) as readonly {
    readonly vrid: number;
    readonly interface: string;
    readonly v4: { readonly status: string };
    readonly v6: { readonly status: string };
  }[];
  const rows = routersOf(running).map((one) => {
    const found = told.find((each) => each.vrid === one.vrid && each.interface === one.link);
    const state = found?.[isSix(one) ? "v6" : "v4"].status.toUpperCase().replace("INITIALIZE", "FAULT") ?? "INIT";
    return [one.group, one.link, one.vrid, state, one.config.one("priority") ?? 100, "0s"].join("  ");
  });
  return ["Name  Interface  VRID  State  Priority  Last Transition", "----  ---------", ...rows, ""].join("\n");
}

export interface VirtualRouters extends AsyncDisposable {
  make(running: Tree): Promise<void>;
}

/** @param directory of FRR's sockets @param programs of FRR */
export function virtualRouters(programs: string, directory: string): VirtualRouters {
  const made = new Set<string>();
  const pidFile = join(directory, "vrrpd.pid");
  let isRunning = false;

  const start = async (): Promise<void> => {
    const file = join(directory, "vrrpd.conf");
    writeFileSync(file, "");
    const words = ["-d", "-f", file, "-P", "0", "-z", join(directory, "zserv.api"), "-i", pidFile];
    await run(join(programs, "vrrpd"), [...words, "--vty_socket", directory], 20_000);
    isRunning = true;
  };
  return {
    async make(running) {
      const all = routersOf(running);
      for (const name of made.difference(new Set(all.map(nameOf)))) {
        await ip("link", "del", name);
        made.delete(name);
      }
      for (const one of all) {
        const name = nameOf(one);
        if (made.has(name)) continue;
        made.add(name);
        const kind = isSix(one) ? "02" : "01";
        const address = `00:00:5e:00:${kind}:${one.vrid.toString(16).padStart(2, "0")}`;
        await ip("link", "add", name, "link", one.link, "address", address, "type", "macvlan", "mode", "bridge");
        for (const each of one.addresses)
          await ip("addr", "add", `${each}/${each.includes(":") ? "128" : "32"}`, "dev", name);
        // Who is not the master has the address, too, on a link that is down, and must not answer for it.
        sysctl(`ipv4/conf/${one.link}/arp_ignore`, "1");
        await ip("link", "set", name, "up");
      }
      if (all.length > 0 && !isRunning) await start();
    },
    async [Symbol.asyncDispose]() {
      if (isRunning) process.kill(Number(readFileSync(pidFile, "utf8")), "SIGTERM");
      for (const name of made) await ip("link", "del", name);
    },
  };
}

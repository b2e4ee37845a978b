/** Pods that leave the cluster by an address that another node holds, where they reach each other by GRE of the guest's kernel. */
import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { address, type Family } from "#lib/address.ts";
import { run } from "../datapath/iproute.ts";
import { keyDirectory } from "../support/keys.ts";
import { needing } from "../support/requirement.ts";
import { ensure, makeWire, type Name, passes, podNamespace, removeWire, type Setting, withNodes } from "./rig.ts";
import { KEYS } from "./userspace.ts";

const OUTSIDE = { 4: "203.0.113.9", 6: "2001:db8:9::9" } as const satisfies Record<Family, string>;
const FIXED = { 4: address("198.51.100.200"), 6: address("2001:db8:2::200") } as const;
const EGRESS = { port: { name: "billing", addresses: Object.values(FIXED), vni: 9_000 }, holder: "n3" } as const;
const IP = { 4: "ip", 6: "ip6" } as const satisfies Record<Family, string>;
/** Of ICMP and IP, bytes. */
const HEADERS = { 4: 28, 6: 48 } as const satisfies Record<Family, number>;

const test = needing("root", { program: "ip" }, { program: "nft" }, { program: "ping" });
const keys = keyDirectory();
beforeAll(() => {
  makeWire();
  run("router", "nft add table inet seen");
  run("router", "nft add chain inet seen c { type filter hook input priority 0; }");
  for (const f of [4, 6] as const) {
    run("router", `ip addr add ${OUTSIDE[f]}/${f === 4 ? 32 : 128} dev lo`);
    run("router", `nft add set inet seen by${f} { type ipv${f}_addr; flags dynamic; }`);
    run("router", `nft add rule inet seen c ${IP[f]} daddr ${OUTSIDE[f]} add @by${f} { ${IP[f]} saddr }`);
  }
});
afterAll(() => {
  removeWire();
  rmSync(keys, { recursive: true });
});

/** By which addresses the world outside has seen anybody since it was asked last. */
function seen(of: Family): string {
  const [, elements = ""] = /elements = \{ (.*) \}/.exec(run("router", `nft list set inet seen by${of}`)) ?? [];
  run("router", `nft flush set inet seen by${of}`);
  return elements;
}

/** Whether the world outside answers a packet of so many bytes from the node's pod that nobody may take to pieces. */
function isAnswered(name: Name, of: Family, bytes: number): boolean {
  run(podNamespace(name), `ip -${of} route flush cache`);
  try {
    run(podNamespace(name), `ping -${of} -n -q -M do -c 1 -W 3 -s ${bytes - HEADERS[of]} ${OUTSIDE[of]}`);
    return true;
  } catch {
    return false;
  }
}

const WAYS: readonly (readonly [name: string, setting: Setting, mtus: { pods: number; leaving: number }])[] = [
  ["GRE", { way: "gre", underlay: 4, encrypt: false, egress: EGRESS }, { pods: 1_472, leaving: 1_450 }],
  ["GRE in WireGuard", { way: "gre", underlay: 4, encrypt: true, egress: EGRESS }, { pods: 1_412, leaving: 1_390 }],
];

test.each(WAYS)(
  "%s: pods of every node are seen by the address, answers come back, and pods reach each other as before",
  (_name, setting, { pods, leaving }) =>
    withNodes(
      setting,
      async (nodes) => {
        for (const node of nodes) expect([node.name, await ensure(node)]).toEqual([node.name, []]);
        for (const f of [4, 6] as const) {
          for (const { name } of nodes) expect([name, isAnswered(name, f, leaving)]).toEqual([name, true]);
          expect(seen(f)).toBe(FIXED[f]);
          expect(isAnswered("n1", f, leaving + 1)).toBe(false);
          for (const to of ["n2", "n3"] as const)
            expect([to, passes("n1", to, f, pods), passes("n1", to, f, pods + 1)]).toEqual([to, true, false]);
        }
      },
      { keys: KEYS, wireguard: () => ({ keys }) },
    ),
  300_000,
);
test("the table has ways", () => expect(WAYS.length).toBeGreaterThan(0));

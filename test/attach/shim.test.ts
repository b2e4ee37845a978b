/** The node and pods on one of its links talk by the shim, though the wire knows neither's addresses. */
import { execFileSync } from "node:child_process";
import { afterEach, expect, test } from "@jest/globals";
import { type Mac, mac, prefix } from "#lib/address.ts";
import { type AttachmentType, plan } from "#lib/attach/kinds.ts";
import { hostLinkName, linkAlias } from "#lib/attach/names.ts";
import { linux } from "#lib/kernel/linux.ts";
import { root } from "#lib/parse.ts";
import { diff } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import { needing } from "../support/requirement.ts";

const tools = ["root", { program: "ip" }, { program: "ping" }] as const;
const sh = (line: string) => execFileSync("sh", ["-ec", line]).toString();
afterEach(() => {
  sh(
    "ip link del shim-up 2>/dev/null || true; ip netns del shim-1 2>/dev/null || true; ip netns del shim-2 2>/dev/null || true",
  );
});

function factsOf(type: AttachmentType, options: object, { n, parent }: { n: number; parent: Mac }): Fact[] {
  const key = { containerId: `shim-${n}`, ifname: "eth0" };
  const built = plan(type, root({ master: "shim-up", ...options })).build({
    ...key,
    hostLink: hostLinkName(key),
    alias: linkAlias(key),
    mac: type === "ipvlan" ? parent : mac(`02:00:00:00:00:0${n}`),
    addresses: [{ address: prefix(`10.88.0.${n}/24`) }, { address: prefix(`fd88::${n}/64`) }],
    mtu: 1_500,
    published: false,
    carrier: { at: "host", name: "shim-up", mac: parent, mtu: 1_500 },
  });
  return [...built.shared, ...built.facts];
}

const CASES = [
  ["macvlan", {}],
  ["ipvlan", { mode: "l2" }],
  ["ipvlan", { mode: "l3" }],
  ["ipvlan", { mode: "l3s" }],
] as const satisfies readonly (readonly [AttachmentType, object])[];
test("the table has cases", () => expect(CASES.length).toBe(4));

for (const [type, options] of CASES)
  needing(...tools, ...(type === "ipvlan" ? [{ kernel: type }] : []))(
    `${type} ${JSON.stringify(options)}: pings both ways, and the second pod takes nothing from the first`,
    async () => {
      sh("ip link add shim-up up type veth peer name shim-far; ip link set shim-far up");
      sh("ip netns add shim-1; ip netns add shim-2");
      await using kernel = linux();
      const [link] = await kernel.look({}, [{ type: "link", at: "host", name: "shim-up", kind: "foreign", up: true }]);
      if (link?.type !== "link" || link.mac === undefined) throw new Error("no parent");
      const pods = [1, 2].map((n) => ({
        scope: { netns: `/run/netns/shim-${n}` },
        facts: factsOf(type, options, { n, parent: link.mac as Mac }),
      }));
      for (const { scope, facts } of pods) await kernel.apply(scope, diff(facts, []));
      for (const { scope, facts } of pods) expect(diff(facts, await kernel.look(scope, facts))).toEqual([]);
      for (const to of ["10.88.0.1", "fd88::1", "10.88.0.2", "fd88::2"])
        expect(sh(`ping -c 1 -W 5 ${to}`)).toContain(" 0% packet loss");
      const near = JSON.parse(sh(`ip -j addr show type ${type}`))[0].addr_info.map(
        (at: { local: string }) => at.local,
      ) as string[];
      expect(near).toHaveLength(2);
      // From the address that the node has a route to; the pod's own link-local one is on the wire.
      for (const to of near) {
        const from = to.includes(":") ? "fd88::1" : "10.88.0.1";
        expect(sh(`ip netns exec shim-1 ping -c 1 -W 5 -I ${from} ${to}`)).toContain(" 0% packet loss");
      }
      for (const { scope, facts } of pods)
        await kernel.apply(
          scope,
          facts.map((fact) => ({ do: "remove", fact })),
        );
      await kernel.settled();
      expect(JSON.parse(sh(`ip -j link show type ${type}`))).toEqual([]);
    },
  );

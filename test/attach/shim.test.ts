/** The node and a pod on one of its links talk by the shim, though the wire knows neither's addresses. */
import { execFileSync } from "node:child_process";
import { afterAll, expect } from "@jest/globals";
import { mac, prefix } from "#lib/address.ts";
import { plan } from "#lib/attach/kinds.ts";
import { hostLinkName, linkAlias } from "#lib/attach/names.ts";
import { linux } from "#lib/kernel/linux.ts";
import { root } from "#lib/parse.ts";
import { diff } from "#lib/state/diff.ts";
import { needing } from "../support/requirement.ts";

const rooted = needing("root", { program: "ip" }, { program: "ping" });
const sh = (line: string) => execFileSync("sh", ["-ec", line]).toString();
afterAll(() => {
  sh("ip link del shim-up 2>/dev/null || true; ip netns del shim-pod 2>/dev/null || true");
});

rooted("macvlan: pings both ways over IPv4 and IPv6, and nothing is left to do", async () => {
  sh("ip link add shim-up up type veth peer name shim-far; ip link set shim-far up; ip netns add shim-pod");
  await using kernel = linux();
  const scope = { netns: "/run/netns/shim-pod" };
  const [link] = await kernel.look({}, [{ type: "link", at: "host", name: "shim-up", kind: "foreign", up: true }]);
  if (link?.type !== "link" || link.mac === undefined) throw new Error("no parent");
  const key = { containerId: "shim", ifname: "eth0" };
  const built = plan("macvlan", root({ master: "shim-up" })).build({
    ...key,
    hostLink: hostLinkName(key),
    alias: linkAlias(key),
    mac: mac("02:00:00:00:00:05"),
    addresses: [{ address: prefix("10.88.0.5/24") }, { address: prefix("fd88::5/64") }],
    mtu: 1_500,
    published: false,
    carrier: { at: "host", name: "shim-up", mac: link.mac, mtu: 1_500 },
  });
  const facts = [...built.shared, ...built.facts];
  await kernel.apply(scope, diff(facts, []));
  expect(diff(facts, await kernel.look(scope, facts))).toEqual([]);
  expect(sh("ping -c 1 -W 5 10.88.0.5")).toContain(" 0% packet loss");
  expect(sh("ping -c 1 -W 5 fd88::5")).toContain(" 0% packet loss");
  await kernel.apply(
    scope,
    facts.map((fact) => ({ do: "remove", fact })),
  );
  await kernel.settled();
  expect(JSON.parse(sh("ip -j link show type macvlan"))).toEqual([]);
});

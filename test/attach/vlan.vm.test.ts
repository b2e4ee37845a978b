/** `vlan` on a kernel that has it: a pod and a machine behind the parent, tagged by iproute2, reach each other. */
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import { plan } from "#lib/attach/kinds.ts";
import { hostLinkName, linkAlias } from "#lib/attach/names.ts";
import { linux } from "#lib/kernel/linux.ts";
import { root } from "#lib/parse.ts";
import { diff } from "#lib/state/diff.ts";
import { needing } from "../support/requirement.ts";

const rooted = needing("root", { program: "ip" }, { program: "ping" }, { kernel: "vlan" });
const sh = (line: string) => execFileSync("sh", ["-ec", line]).toString();
const TAKEN = "ip link del qq-up 2>/dev/null || true; ip netns del qq-far 2>/dev/null || true; ip netns del qq-pod";

beforeEach(() => {
  if (rooted === test.skip) return;
  sh("ip netns add qq-pod; ip netns add qq-far");
  sh("ip link add qq-up up type veth peer name far netns qq-far; ip -n qq-far link set far up");
});
afterEach(() => {
  if (rooted !== test.skip) sh(TAKEN);
});

/** Both ways of a link that the far machine has, and what the pod asks for to be on it. */
const CASES: readonly (readonly [what: string, config: object, far: readonly string[]])[] = [
  ["one tag", { vlanId: 100 }, ["add link far name v1 type vlan id 100", "set v1 up"]],
  [
    "a tag within a tag",
    { vlanId: 100, outerVlanId: 200 },
    [
      "add link far name v0 type vlan proto 802.1ad id 200",
      "set v0 up",
      "add link v0 name v1 type vlan id 100",
      "set v1 up",
    ],
  ],
  [
    "a service provider's tag alone",
    { vlanId: 100, vlanProtocol: "802.1ad" },
    ["add link far name v1 type vlan proto 802.1ad id 100", "set v1 up"],
  ],
];
test("the table has cases", () => expect(CASES.length).toBe(3));

rooted.each(CASES)("%s: both ways, over IPv4 and IPv6, and not without the tag", async (_what, config, far) => {
  for (const link of far) sh(`ip -n qq-far link ${link}`);
  sh("ip -n qq-far addr add 10.9.0.1/24 dev v1; ip -n qq-far addr add fd09::1/64 dev v1 nodad");
  await using kernel = linux();
  const scope = { netns: "/run/netns/qq-pod" };
  const [parent] = await kernel.look({}, [{ type: "link", at: "host", name: "qq-up", kind: "foreign", up: true }]);
  if (parent?.type !== "link" || parent.mac === undefined) throw new Error("no parent");
  const key = { containerId: "qq", ifname: "eth0" };
  const built = plan("vlan", root({ master: "qq-up", ...config })).build({
    ...key,
    hostLink: hostLinkName(key),
    alias: linkAlias(key),
    mac: parent.mac,
    addresses: [{ address: prefix("10.9.0.5/24") }, { address: prefix("fd09::5/64") }],
    mtu: 1_500,
    published: false,
    carrier: { at: "host", name: "qq-up", mac: parent.mac, mtu: 1_500 },
  });
  const facts = [...built.shared, ...built.facts];
  await kernel.apply(scope, diff(facts, []));
  expect(diff(facts, await kernel.look(scope, facts))).toEqual([]);
  for (const to of ["10.9.0.1", "fd09::1"])
    expect(sh(`ip netns exec qq-pod ping -c 1 -W 5 ${to}`)).toContain(" 0% packet loss");
  for (const to of ["10.9.0.5", "fd09::5"])
    expect(sh(`ip netns exec qq-far ping -c 1 -W 5 ${to}`)).toContain(" 0% packet loss");
  sh("ip -n qq-far addr flush dev v1; ip -n qq-far addr add 10.9.0.1/24 dev far");
  expect(() => sh("ip netns exec qq-pod ping -c 1 -W 1 10.9.0.1")).toThrow();
  await kernel.apply(
    scope,
    facts.map((fact) => ({ do: "remove", fact })),
  );
  await kernel.settled();
  expect(JSON.parse(sh("ip -j link show type vlan"))).toEqual([]);
});

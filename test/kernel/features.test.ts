/** What the kernel is found to have, against what `ip` and `tc` say of it. */
import { execFileSync, spawnSync } from "node:child_process";
import { expect } from "@jest/globals";
import { linux } from "#lib/kernel/linux.ts";
import { FEATURES, type FeatureName } from "#lib/state/features.ts";
import { needing } from "../support/requirement.ts";

const test = needing("root", { program: "ip" }, { program: "tc" }, { program: "unshare" });

const LINK = "Unknown device type";
const PAIR = "ip link add up0 type veth peer name up1";

/** A command in a namespace of its own, and what it complains of when the kernel lacks the feature. */
const cases: [name: FeatureName, script: string, complaint: string][] = [
  ["veth", PAIR, LINK],
  ["bridge-vlan", "ip link add type bridge vlan_filtering 1", "not supported"],
  ["macvlan", `${PAIR}; ip link add link up0 type macvlan`, LINK],
  ["ipvlan", `${PAIR}; ip link add link up0 type ipvlan`, LINK],
  ["vlan", `${PAIR}; ip link add link up0 type vlan id 7`, LINK],
  ["tap", "ip tuntap add tap0 mode tap", "tun"],
  ["vxlan", "ip link add type vxlan id 7 dstport 4789", LINK],
  ["vrf", "ip link add type vrf table 7", LINK],
  ["gre", "ip link add type gretap remote 192.0.2.1 local 192.0.2.2", LINK],
  ["wireguard", "ip link add type wireguard", LINK],
  ["tbf", `${PAIR}; tc qdisc add dev up0 root tbf rate 1mbit burst 10k latency 1ms`, "kind is unknown"],
  ["htb", `${PAIR}; tc qdisc add dev up0 root htb`, "kind is unknown"],
  ["netem", `${PAIR}; tc qdisc add dev up0 root netem delay 1ms`, "kind is unknown"],
  ["clsact", `${PAIR}; tc qdisc add dev up0 clsact`, "kind is unknown"],
  ["matchall", `${PAIR}; tc qdisc add dev up0 clsact; tc filter add dev up0 ingress matchall`, "classifier not found"],
  ["flower", `${PAIR}; tc qdisc add dev up0 clsact; tc filter add dev up0 ingress flower`, "classifier not found"],
];

/** A module that is loaded brings these into every namespace, down, and nobody can delete them. */
const OF_MODULES = /^(gre0|gretap0|erspan0|ip6tnl0|ip6gre0|tunl0|sit0)@NONE /;

test("each feature is there or not as the tools find it, and nothing is left behind", async () => {
  const links = () =>
    execFileSync("ip", ["-br", "link"], { encoding: "utf8" })
      .split("\n")
      .filter((line) => !OF_MODULES.test(line));
  const before = links();
  await using kernel = linux();
  const features = await kernel.features();
  expect(features.map(({ name }) => name)).toEqual(Object.keys(FEATURES));
  const present = Object.fromEntries(features.map((feature) => [feature.name, feature.present]));
  const found = cases.map(([name]) => [name, present[name]]);
  const told = cases.map(([name, script, complaint]) => {
    const { stderr } = spawnSync("unshare", ["--net", "bash", "-c", script], { encoding: "utf8" });
    return [name, !stderr.includes(complaint)];
  });
  expect(found).toEqual(told);
  expect(links()).toEqual(before);
});

test("the table has cases", () => expect(cases.length).toBe(16));

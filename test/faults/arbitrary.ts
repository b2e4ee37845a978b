/** Configurations and environments as no runtime should send them, and enough as one would. */

import { VERSIONS } from "#lib/cni/types.ts";
import { fc } from "../support/property.ts";

const awkward = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e300,
    65_536,
    "",
    "\u0000",
    "a".repeat(300),
    [],
    {},
    [[]],
    "10.66.0.7/16",
  ),
  fc.constantFrom<unknown>("fd00::/129", "999.1.1.1", "10.66.0.0/16", "::", "0.0.0.0/0", "__proto__", "../../etc"),
  fc.jsonValue({ maxDepth: 2 }),
);
const address = fc.constantFrom("10.66.0.9", "10.66.0.10/16", "fd42:5e1f:ed9e::9", "192.0.2.7/24", "10.66.0.1");
const port = fc.record({
  hostPort: fc.constantFrom<unknown>(80, 8080, 0, 70_000, "80"),
  containerPort: fc.constantFrom<unknown>(80, 53, -1),
  protocol: fc.constantFrom("tcp", "udp", "sctp", "TCP", "icmp"),
  hostIP: fc.constantFrom("", "192.0.2.1", "127.0.0.1", "::1", "x"),
});
/** Each key either as it should be or as it should not. */
const member = {
  cniVersion: fc.constantFrom<unknown>(...VERSIONS, "1.1.0", "1.1.0", "1.1.0", "2.0.0", 1),
  name: fc.constantFrom<unknown>("net", "net", "other", "", "a b", 7),
  type: fc.constant("selvedge"),
  attachment: fc.constantFrom<unknown>("ptp", "bridge", "macvlan", 3),
  bridge: fc.constantFrom<unknown>("br0", "br1", "a-name-that-is-too-long", "a/b"),
  isGateway: fc.constantFrom<unknown>(true, false, "true", "perhaps"),
  mtu: fc.constantFrom<unknown>(1500, 9000, 0, 60, 1e9, "1500"),
  ipMasq: fc.constantFrom<unknown>(true, false, "no"),
  ipam: fc.oneof(
    fc.constant({}),
    fc.record({ type: fc.constantFrom<unknown>("selvedge", "fake-ipam", "absent", "../x", 5) }, { requiredKeys: [] }),
    fc.record({
      ranges: fc.constantFrom<unknown>([[{ subnet: "10.7.0.0/29" }]], [[]], [[{ subnet: "10.7.0.0/33" }]], 4),
    }),
  ),
  runtimeConfig: fc.record(
    {
      portMappings: fc.oneof(fc.array(port, { maxLength: 3 }), awkward),
      ips: fc.oneof(fc.array(address, { maxLength: 3 }), awkward),
      mac: fc.constantFrom<unknown>("02:00:00:00:00:07", "ff:ff:ff:ff:ff:ff", "x", 1),
      bandwidth: fc.oneof(
        fc.record({ ingressRate: fc.constantFrom(0, 1, 1_000_000, 1e18), egressBurst: fc.constantFrom(0, 8, 2 ** 35) }),
        awkward,
      ),
    },
    { requiredKeys: [] },
  ),
  prevResult: fc.constantFrom<unknown>(
    { cniVersion: "1.1.0", interfaces: [{ name: "v" }, { name: "eth0", sandbox: "/run/netns/a" }], ips: [] },
    { ips: [{ address: "10.1.0.5/24", interface: 9 }] },
    "x",
    [],
  ),
  dns: fc.oneof(fc.constant({ nameservers: ["10.0.0.2"] }), awkward),
  "cni.dev/valid-attachments": fc.constantFrom<unknown>([], null, [{ containerID: "a", ifname: "eth0" }], [{}], "all"),
};
const wellMeant = fc.record(member, { requiredKeys: ["type"] });
/** Good in every key. */
const sound = fc
  .record(
    {
      attachment: fc.constantFrom("ptp", "bridge"),
      isGateway: fc.boolean(),
      ipMasq: fc.boolean(),
      mtu: fc.constantFrom(1_400, 9_000),
      ipam: fc.constantFrom({ type: "selvedge" }, { type: "fake-ipam" }, { ranges: [[{ subnet: "10.7.0.0/24" }]] }),
      runtimeConfig: fc.constantFrom(
        {},
        { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }] },
        { bandwidth: { ingressRate: 1_000_000, egressRate: 1_000_000 } },
      ),
    },
    { requiredKeys: [] },
  )
  .map((config) => ({ cniVersion: "1.1.0", name: "net", type: "selvedge", bridge: "br0", ...config }));
/** Good but for one key, which has a wrong value or one that is good somewhere else. */
const mutated = fc.oneof(
  fc.tuple(sound, fc.constantFrom(...Object.keys(member)), awkward).map(([c, key, value]) => ({ ...c, [key]: value })),
  fc
    .tuple(sound, fc.record(member))
    .chain(([c, other]) =>
      fc.constantFrom(...(Object.keys(member) as (keyof typeof member)[])).map((key) => ({ ...c, [key]: other[key] })),
    ),
);
/** Standard input: mostly a configuration, now and then cut off, seldom anything. */
export const text = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(sound, wellMeant, mutated).map((config) => JSON.stringify(config)) },
  {
    weight: 1,
    arbitrary: fc.tuple(wellMeant, fc.nat(300)).map(([config, cut]) => JSON.stringify(config).slice(0, cut)),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
);
/** CNI_*; pods are called a and b. */
export const variables = fc
  .record(
    {
      CNI_COMMAND: fc.constantFrom(
        "ADD",
        "ADD",
        "ADD",
        "DEL",
        "DEL",
        "CHECK",
        "CHECK",
        "GC",
        "STATUS",
        "VERSION",
        "add",
        "",
      ),
      CNI_CONTAINERID: fc.constantFrom("a", "a", "a", "b", "b", "c", "", "a b", "../a"),
      CNI_NETNS: fc.constantFrom("own", "own", "own", "/run/netns/b", "/run/netns/none", "/proc/self/ns/net", ""),
      CNI_IFNAME: fc.constantFrom("eth0", "eth0", "eth0", "eth1", "", "a/b", "an-interface-name"),
      CNI_ARGS: fc.constantFrom(
        "",
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=ns",
        "IP=10.66.0.9",
        "MAC=x",
        ";;=",
        "__proto__=1",
      ),
      CNI_PATH: fc.constant("/opt/cni/bin"),
    },
    { requiredKeys: ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"] },
  )
  .map((v) => (v.CNI_NETNS === "own" ? { ...v, CNI_NETNS: `/run/netns/${v.CNI_CONTAINERID}` } : v));

/**
 * Random and mutated configurations and environments through the plugin and the daemon in one process: always a CNI
 * error or a result, and never a half-made attachment.
 */
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { plugin } from "#lib/cni/plugin.ts";
import { VERSIONS } from "#lib/cni/types.ts";
import { CniError } from "#proto/selvedge_pb.ts";
import { boot, patient, type Running, type World, world, wounds } from "./world.ts";

const RUNS = 10_000;
/** Configurations for one node: what one leaves behind is there for the next. */
const PER_NODE = 250;
const METHOD = { ADD: "add", DEL: "del", CHECK: "check", GC: "gc", STATUS: "status" } as const;

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
const text = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(sound, wellMeant, mutated).map((config) => JSON.stringify(config)) },
  {
    weight: 1,
    arbitrary: fc.tuple(wellMeant, fc.nat(300)).map(([config, cut]) => JSON.stringify(config).slice(0, cut)),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
);
const variables = fc
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

async function fresh(): Promise<{ node: World; running: Running }> {
  const node = world();
  node.kernel.addNamespace("/run/netns/a");
  node.kernel.addNamespace("/run/netns/b");
  return { node, running: await boot(node) };
}

const invoke = ({ node, running }: { node: World; running: Running }, env: Record<string, string>, stdin: string) =>
  plugin({
    variables: env,
    stdin: async () => Buffer.from(stdin),
    inode: async (path) => node.kernel.namespaceInode(path) ?? 0,
    ask: async (verb, request) => {
      const { result = new Uint8Array(), error } = await running.verbs[METHOD[verb]](request, patient());
      return { result, ...(error && { error: CniError.of(error) }) };
    },
    enqueue: () => Promise.reject(new Error("the daemon is there")),
  });

test(`${RUNS} configurations and environments`, async () => {
  let place = await fresh();
  let runs = 0;
  const successes = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(variables, text, async (env, stdin) => {
      if (++runs % PER_NODE === 0) place = await fresh();
      place.node.nowMs += 1_000;
      const { exit, out, err } = await invoke(place, env, stdin);
      expect(`${out}${err}`).not.toMatch(/\n\s+at |internal error|TypeError|RangeError|undefined/);
      const verb = env.CNI_COMMAND ?? "";
      if (exit === 1) {
        const { code, msg } = JSON.parse(out) as { code: number; msg: string };
        expect(code).toBeGreaterThan(0);
        expect(msg).not.toBe("");
      } else {
        successes.set(verb, (successes.get(verb) ?? 0) + 1);
        if (verb === "ADD") expect(JSON.parse(out)).toHaveProperty("cniVersion");
        else if (verb !== "VERSION") expect(out).toBe("");
      }
      expect({ env, stdin, wounds: await wounds(place.node, place.running) }).toEqual({ env, stdin, wounds: [] });
    }),
    // Each run leaves its node to the next: there is nothing to shrink.
    { numRuns: RUNS, seed: 20_263, endOnFailure: true },
  );
  // A generator that only makes nonsense would prove nothing.
  const rare = ["ADD", "DEL", "CHECK", "GC", "STATUS"].filter((verb) => (successes.get(verb) ?? 0) < 3);
  expect({ rare, successes: [...successes] }).toEqual({ rare: [], successes: [...successes] });
}, 180_000);

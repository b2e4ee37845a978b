/** A pod on networks of NetworkAttachmentDefinitions, on a real kernel; definitions and pods are manifests in a directory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually, stop } from "../../conformance/program.ts";
import { ask, serve } from "../../conformance/traffic.ts";
import { definition } from "../support/kubernetes/definitions.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { writeManifests } from "../support/manifests.ts";
import { needing } from "../support/requirement.ts";
import { addressesOf, type Result } from "./result.ts";

const runs = needing(...LIVE, { file: "/usr/bin/python3" }, { program: "tc" });
const NETWORKS = "k8s.v1.cni.cncf.io/networks";

const ours = (keys: object) => ({ cniVersion: "0.3.1", type: "selvedge", ...keys });
const DEFINITIONS = [
  definition("blue", ours({ network: "blue" })),
  definition("bridged", {
    cniVersion: "1.0.0",
    name: "bridged",
    plugins: [
      ours({
        attachment: "bridge",
        bridge: "brd0",
        isGateway: true,
        ipam: { type: "selvedge", ranges: [[{ subnet: "10.73.0.0/24" }]] },
      }),
    ],
  }),
  definition("green", undefined, "tenants"),
  definition("kept", ours({ network: "kept" })),
  definition("macvlan", { cniVersion: "0.3.1", type: "macvlan", master: "eth1" }),
  definition("chain", { name: "chain", plugins: [ours({}), { type: "tuning" }] }),
  definition("broken", "{"),
  definition("elsewhere", ours({ ipam: { type: "host-local", subnet: "10.9.0.0/24" } })),
  definition("nothing", ours({ network: "no-such" })),
  definition("full", ours({ ipam: { type: "selvedge", ranges: [[{ subnet: "10.75.0.0/24" }]] } })),
];

const pool = (name: string, n: number) => ({
  name,
  ranges: [[{ subnet: `10.${n}.0.0/24` }], [{ subnet: `fd${n}::/64` }]],
});
const CONFIG = {
  ipam: { coolDownSeconds: 0 },
  defaultPool: "std",
  pools: [pool("std", 70), pool("blue", 71), pool("green", 72), pool("kept", 74)],
  networks: [
    { name: "std" },
    { name: "blue", pool: "blue" },
    { name: "green", pool: "green" },
    { name: "kept", pool: "kept", namespaces: ["other"] },
  ],
};

let live: LiveNode;
let manifests = "";
beforeAll(async () => {
  if (runs === test.skip) return;
  manifests = mkdtempSync(join(tmpdir(), "definitions-"));
  writeManifests(manifests, "definitions", DEFINITIONS);
  live = await makeLiveNode({
    name: "nad",
    config: { ...CONFIG, policies: { directory: manifests }, attachmentDefinitions: true },
  });
}, 60_000);
afterAll(async () => {
  await live?.[Symbol.asyncDispose]();
  if (manifests !== "") rmSync(manifests, { recursive: true });
}, 60_000);

const pod = (name: string, networks: unknown) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    namespace: "shop",
    name,
    annotations: { [NETWORKS]: typeof networks === "string" ? networks : JSON.stringify(networks) },
  },
});

const named = (name: string) => ({
  variables: { CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${name}` },
});
/** As a runtime hands annotations over. */
const handed = (name: string, networks: string) => ({
  ...named(name),
  config: { runtimeConfig: { "io.kubernetes.cri.pod-annotations": { [NETWORKS]: networks } } },
});
const std = (asked: { config?: object }) => ({ ...asked, config: { network: "std", ...asked.config } });

async function added(id: string, asked: object): Promise<Result> {
  const { exit, stdout } = await live.ask("ADD", id, std(asked));
  expect({ exit, stdout: exit === 0 ? "" : stdout }).toEqual({ exit: 0, stdout: "" });
  return JSON.parse(stdout) as Result;
}
async function gone(id: string): Promise<void> {
  expect(await live.ask("DEL", id, std({}))).toMatchObject({ exit: 0 });
  await eventually("nothing is left", async () => {
    const left = (await live.left()).filter((line) => line.startsWith("attachment") || line.startsWith("lease"));
    return left.length === 0 || undefined;
  });
}

runs("what the runtime hands over: one interface for each, named in their order", async () => {
  await live.pods("nad-a");
  const result = await added("nad-a", handed("a", "blue, tenants/green@g0"));
  expect(addressesOf(result)).toEqual({
    eth0: [expect.stringMatching(/^10\.70\./), expect.stringMatching(/^fd70::/)],
    net1: [expect.stringMatching(/^10\.71\./), expect.stringMatching(/^fd71::/)],
    g0: [expect.stringMatching(/^10\.72\./), expect.stringMatching(/^fd72::/)],
  });
  expect(await live.within("nad-a", "ip", "route", "show", "default")).toMatch(/^default .*dev eth0/);
  expect(
    await live.ask("CHECK", "nad-a", std({ ...handed("a", "blue"), config: { prevResult: result } })),
  ).toMatchObject({
    exit: 0,
  });
  await gone("nad-a");
});

runs(
  "what Kubernetes says of the pod where the runtime says nothing: wishes of each interface, also after a restart",
  async () => {
    writeManifests(manifests, "b", [
      pod("b", [
        {
          name: "bridged",
          ips: ["10.73.0.9/24"],
          mac: "02:00:00:00:00:09",
          interface: "b0",
          "default-route": ["10.73.0.200"],
        },
        { name: "bridged", "cni-args": { ips: ["10.73.0.8"] } },
        { name: "blue", bandwidth: { egressRate: 1_000_000, egressBurst: 100_000 } },
      ]),
    ]);
    await live.pods("nad-b");
    const result = await eventually("the pod is known", async () => {
      const tried = await added("nad-b", named("b"));
      if ("b0" in addressesOf(tried)) return tried;
      await gone("nad-b");
      return undefined;
    });
    expect(addressesOf(result)).toMatchObject({ b0: ["10.73.0.9"], net2: ["10.73.0.8"] });
    expect(result.interfaces.find(({ name }) => name === "b0")?.mac).toBe("02:00:00:00:00:09");
    expect(await live.within("nad-b", "ip", "-4", "route", "show", "default")).toMatch(
      /^default via 10\.73\.0\.200 dev b0 .*\s$/,
    );
    const checked = () => live.ask("CHECK", "nad-b", std({ ...named("b"), config: { prevResult: result } }));
    expect(await checked()).toMatchObject({ exit: 0 });
    await live.daemon.kill();
    await live.daemon.start();
    expect(await checked()).toMatchObject({ exit: 0 });
    await gone("nad-b");
  },
);

runs("a host port of a further network leads to it, and its rate is held", async () => {
  const networks = [
    {
      name: "blue",
      portMappings: [{ hostPort: 18_081, containerPort: 80 }],
      bandwidth: { ingressRate: 8_000_000, ingressBurst: 800_000 },
    },
  ];
  await live.pods("nad-p");
  const result = await added("nad-p", handed("p", JSON.stringify(networks)));
  const server = await serve("nad-p", "tcp", 80, "behind");
  try {
    const { ip4: to } = live.node;
    const question = {
      from: live.outside.namespace,
      to,
      port: 18_081,
      protocol: "tcp",
      bytes: 10,
      deadlineMs: 20_000,
    } as const;
    expect(await ask(question)).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^behind /) });
  } finally {
    await stop(server);
  }
  const { name = "" } = result.interfaces.filter(({ sandbox }) => sandbox === undefined).at(-1) ?? {};
  expect(await live.on("tc", "qdisc", "show", "dev", name)).toMatch(/tbf .*rate 8Mbit/);
  await gone("nad-p");
});

const REFUSED: [what: string, networks: string, code: number, message: string][] = [
  ["one that is not there", "absent", 7, `${NETWORKS}[0]: there is no NetworkAttachmentDefinition shop/absent`],
  [
    "another plugin's",
    "macvlan",
    7,
    'NetworkAttachmentDefinition shop/macvlan: spec.config.type: "macvlan" is not "selvedge": write "type": "selvedge", "attachment": "macvlan"',
  ],
  [
    "a chain",
    "chain",
    7,
    'NetworkAttachmentDefinition shop/chain: spec.config.plugins: ["selvedge","tuning"] is not a list of one plugin',
  ],
  [
    "no JSON",
    "broken",
    7,
    'NetworkAttachmentDefinition shop/broken: spec.config: "{" is not JSON of a network configuration',
  ],
  [
    "addresses of another plugin",
    "elsewhere",
    2,
    'NetworkAttachmentDefinition shop/elsewhere: ipam.type: "host-local" is not supported for a further network of a pod',
  ],
  [
    "an unknown network",
    "nothing",
    7,
    'NetworkAttachmentDefinition shop/nothing: network: "no-such" is not a network of the daemon',
  ],
  [
    "another namespace's network",
    "kept",
    7,
    `NetworkAttachmentDefinition shop/kept: ${NETWORKS}[0]: the network "kept" is not for pods of namespace "shop"`,
  ],
  [
    "an address that is none of its network's",
    '[{"name": "full", "ips": ["10.9.9.9"]}]',
    102,
    "NetworkAttachmentDefinition shop/full: ",
  ],
  ["an interface twice", "blue@x,bridged@x", 7, `${NETWORKS}[1]: the interface "x" is that of shop/blue already`],
  ["no list", "[", 7, `${NETWORKS}: "[" is not a list of networks, with commas between them or in JSON`],
];
runs.each(REFUSED)("%s fails the ADD as a whole", async (_what, networks, code, message) => {
  await live.pods("nad-r");
  const { exit, stdout } = await live.ask("ADD", "nad-r", std(handed("r", networks)));
  expect([exit, JSON.parse(stdout)]).toEqual([1, expect.objectContaining({ code })]);
  expect((JSON.parse(stdout) as { msg: string }).msg.startsWith(message)).toBe(true);
  expect((await live.left()).filter((line) => line.includes(" nad-r "))).toEqual([]);
});

test("there are refusals", () => expect(REFUSED.length).toBeGreaterThan(5));

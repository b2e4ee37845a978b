import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parseNetConf } from "#lib/cni/netconf.ts";
import { parseConfig } from "#lib/config/config.ts";
import { fakePodResources, podWith } from "#lib/k8s/device-plugin/fake-pod-resources.ts";
import { sampleRecord } from "#lib/store/sample-record.ts";
import { refusePlanesBehind } from "../asked-planes.ts";
import { contested } from "../contested.ts";
import type { Core } from "../core.ts";
import { planesOf } from "../planes.ts";
import { table } from "../table.ts";
import { askedDefinitions, selectedPlanes } from "./selected.ts";

const CONFIG = `
networks: [{name: std, planes: [control]}, {name: control}, {name: media, ipMasq: true}, {name: secret, namespaces: [other]}]
kubernetes: {}
`;
const KEY = { containerId: "c1", ifname: "eth0", args: "" };
const DEFINITIONS: Readonly<Record<string, unknown>> = {
  "shop/media": '{"type": "selvedge", "network": "media"}',
  "shop/own": '{"type": "selvedge", "args": {"cni": {"ips": ["10.1.0.5"], "mac": "02:00:00:00:00:01"}}, "mtu": 9000}',
  "shop/named": '{"type": "selvedge", "name": "lan"}',
  "shop/secret": '{"type": "selvedge", "network": "secret"}',
  "shop/total": '{"type": "selvedge", "podQos": {"ingressRate": 1000}}',
  "shop/wrong": '{"type": "selvedge", "args": {"cni": "ips"}}',
  "shop/nested": '{"type": "selvedge", "planes": ["media"]}',
};

function rig(networks: string, { on = true, earlier = false, network = "std", annotations: more = {} } = {}) {
  const config = parseConfig(`${CONFIG}attachmentDefinitions: ${on}`);
  const known = table(contested);
  if (earlier) known.put(sampleRecord({ ifname: "net0" }));
  const definition = async ({ namespace, name }: { namespace: string; name: string }) => {
    const found = DEFINITIONS[`${namespace}/${name}`];
    return found === undefined ? undefined : { namespace, name, config: found };
  };
  const core = { config, table: known, kubernetes: { definition } } as unknown as Core;
  const annotations = { "k8s.v1.cni.cncf.io/networks": networks, "net1.selvedge.dev/pool": "gold", ...more };
  const runtimeConfig = {
    "io.kubernetes.cri.pod-annotations": annotations,
    ips: ["10.9.0.9"],
    portMappings: [{ hostPort: 80, containerPort: 80 }],
  };
  const text = JSON.stringify({ cniVersion: "1.1.0", name: "n", type: "selvedge", network, runtimeConfig });
  const conf = parseNetConf("ADD", Buffer.from(text), "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=p");
  return { core, conf, selected: async () => selectedPlanes(core, conf, await askedDefinitions(core, KEY, conf)) };
}

test("a definition's configuration is its plane's; nothing that came with the request is, but annotations by interface", async () => {
  const [plane] = await rig("own").selected();
  expect(plane).toMatchObject({
    ifname: "net1",
    definition: "shop/own",
    conf: {
      name: "shop/own",
      pod: "shop/p",
      further: true,
      mtu: 9000,
      wishes: { ips: ["10.1.0.5"], mac: "02:00:00:00:00:01", pool: "gold", portMappings: [] },
    },
    settings: { mtu: 9000, ipMasq: false },
  });
});

test.each([
  ["of its own where it has one", "media,media", ["vm:a", "shop/mine"]],
  ["that its definition's arguments say", '[{"name": "own", "cni-args": {"reservation": "vm:b"}}]', ["vm:b"]],
])("a plane goes by the name %s, else by the pod's", async (_which, networks, names) => {
  const more = { "selvedge.dev/reservation": "shop/mine", "net1.selvedge.dev/reservation": "vm:a" };
  const annotations = networks === "media,media" ? more : { "selvedge.dev/reservation": "shop/mine" };
  const planes = await rig(networks, { annotations }).selected();
  expect(planes.map(({ conf }) => conf.wishes.reservation)).toEqual(names);
});

test.each([
  [
    "what the annotation says is over the definition's arguments",
    '[{"name": "own", "ips": ["10.1.0.6"]}]',
    ["10.1.0.6"],
  ],
  ["its arguments are, too", '[{"name": "own", "cni-args": {"ips": ["10.1.0.7"]}}]', ["10.1.0.7"]],
])("%s", async (_what, networks, ips) => {
  expect((await rig(networks).selected()).map(({ conf }) => conf.wishes.ips)).toEqual([ips]);
});

test("a name of its own is the network's, and a network's masquerading counts", async () => {
  const planes = await rig("named,media").selected();
  expect(planes.map(({ conf, settings }) => [conf.name, conf.network, settings.ipMasq])).toEqual([
    ["lan", undefined, false],
    ["shop/media", "media", true],
  ]);
});

test("only where it is asked for, and for a container's first attachment", async () => {
  expect(await rig("own", { on: false }).selected()).toEqual([]);
  expect(await rig("own", { earlier: true }).selected()).toEqual([]);
  expect(await rig(" ").selected()).toEqual([]);
});

const REFUSED: [networks: string, message: string][] = [
  [
    "secret",
    'NetworkAttachmentDefinition shop/secret: k8s.v1.cni.cncf.io/networks[0]: the network "secret" is not for pods of namespace "shop"',
  ],
  ["total", 'NetworkAttachmentDefinition shop/total: podQos: {"ingressRate":1000} is not supported'],
  ["nested", 'NetworkAttachmentDefinition shop/nested: planes: ["media"] is not supported'],
  ["wrong", 'NetworkAttachmentDefinition shop/wrong: args.cni: "ips" is not an object'],
  ["own,other/own", "k8s.v1.cni.cncf.io/networks[1]: there is no NetworkAttachmentDefinition other/own"],
];
test.each(REFUSED)("%s is refused", async (networks, message) => {
  await expect(rig(networks).selected()).rejects.toThrow(message);
});

test("they come after the planes that the network has, and lead where they say", async () => {
  const { core, conf, selected } = rig(
    '[{"name": "media", "default-route": []}, {"name": "media", "interface": "m1"}]',
  );
  const planes = planesOf(core, KEY, conf, await selected());
  expect(planes.map(({ key, definition, defaultRoute }) => [key.ifname, definition, defaultRoute])).toEqual([
    ["eth0", undefined, false],
    ["control", undefined, false],
    ["net1", "shop/media", true],
    ["m1", "shop/media", false],
  ]);
  const taken = rig("own@control");
  const again = await taken.selected();
  expect(() => planesOf(taken.core, KEY, taken.conf, again)).toThrow(
    'k8s.v1.cni.cncf.io/networks[0]: the interface "control" is that of the plane control already',
  );
});

test("a device that kubelet gave the pod for a definition's resource is its plane's", async () => {
  const directory = await mkdtemp(join(tmpdir(), "kubelet-"));
  using _kubelet = await fakePodResources(join(directory, "pod-resources/kubelet.sock"), [
    podWith("shop/p", { "selvedge.dev/fast": ["0000:3b:02.1"] }),
  ]);
  const { core, conf } = rig("own,media");
  const definition = async (of: { namespace: string; name: string }) => {
    const found = await core.kubernetes?.definition(of);
    return found && (found.name === "own" ? { ...found, resource: "selvedge.dev/fast" } : found);
  };
  const config = { ...core.config, sriov: { ...core.config.sriov, kubeletDir: join(directory, "device-plugins") } };
  const here = { ...core, config, kubernetes: { definition } } as unknown as Core;
  const planes = selectedPlanes(here, conf, await askedDefinitions(here, KEY, conf));
  expect(planes.map((plane) => plane.conf.wishes.deviceId)).toEqual(["0000:3b:02.1", undefined]);
  await rm(directory, { recursive: true });
});

test("behind another plugin they are refused", async () => {
  const { core, conf } = rig("own");
  const asked = await askedDefinitions(core, KEY, conf);
  expect(() => refusePlanesBehind(conf, asked)).toThrow(
    'k8s.v1.cni.cncf.io/networks: ["shop/own"] is not supported behind another plugin, which makes the pod\'s links',
  );
});

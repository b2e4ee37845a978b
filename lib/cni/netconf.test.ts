import { expect, test } from "@jest/globals";
import { isFailure } from "#lib/errors.ts";
import { toCni } from "./error.ts";
import { parseNetConf } from "./netconf.ts";
import { preflight, refuseOwnNamespace } from "./preflight.ts";
import type { Verb } from "./types.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const base = { cniVersion: "1.1.0", name: "net1", type: "selvedge" };
const parse = (config: object, args = "") => parseNetConf("ADD", bytes(JSON.stringify({ ...base, ...config })), args);

function codeOf(work: () => unknown): number | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (isFailure(error)) return toCni(error.failure);
    throw error;
  }
}

const decoding: [string, Verb, string, number | undefined][] = [
  ["nothing", "ADD", "", 6],
  ["a list", "ADD", "[]", 6],
  ["a number", "ADD", "5", 6],
  ["null has no name", "ADD", "null", 7],
  ["no name", "ADD", "{}", 7],
  ["a null name", "ADD", '{"name":null}', 7],
  ["a name of the wrong type", "ADD", '{"name":5}', 6],
  ["a name with a slash", "ADD", '{"name":"a/b"}', 7],
  ["a byte order mark", "ADD", '\ufeff{"name":"a"}', 6],
  ["no version is 0.1.0", "ADD", '{"name":"a"}', undefined],
  ["an empty version is 0.1.0", "ADD", '{"name":"a","cniVersion":""}', undefined],
  ["a version of the wrong type", "ADD", '{"name":"a","cniVersion":1}', 6],
  ["a version nobody knows", "ADD", '{"name":"a","cniVersion":"0.5.0"}', 1],
  ["a version that is none", "ADD", '{"name":"a","cniVersion":"abc"}', 1],
  ["CHECK with a version that is none", "CHECK", '{"name":"a","cniVersion":"abc"}', 6],
  ["CHECK before 0.4.0", "CHECK", '{"name":"a","cniVersion":"0.3.1"}', 1],
  ["CHECK in 0.4.0", "CHECK", '{"name":"a","cniVersion":"0.4.0"}', undefined],
  ["GC in 1.0.0", "GC", '{"name":"a","cniVersion":"1.0.0"}', 1],
  ["STATUS in 1.0.0", "STATUS", '{"name":"a","cniVersion":"1.0.0"}', 1],
  ["STATUS in 2.0.0", "STATUS", '{"name":"a","cniVersion":"2.0.0"}', 1],
  ["keys of any case", "ADD", '{"NAME":"a","CNIVersion":"1.1.0"}', undefined],
  ["a key named __proto__", "ADD", '{"__proto__":{"name":"evil"}}', 7],
  ["the last of two keys", "ADD", '{"name":"a/b","name":"a"}', undefined],
  ["a million brackets", "ADD", `{"name":"a","x":${"[".repeat(1e6)}`, 6],
  ["deep but closed", "ADD", `{"name":"a","x":${"[".repeat(5e3)}${"]".repeat(5e3)}}`, 6],
  ["brackets in a string", "ADD", `{"name":"a","x":"${"[".repeat(5e3)}"}`, undefined],
];

test.each(decoding)("%s", (_name, verb, config, code) => {
  expect(codeOf(() => preflight(verb, bytes(config)))).toBe(code);
});

test("the own namespace is refused unless allowed, and unknown is not own", () => {
  expect(codeOf(() => refuseOwnNamespace({ netnsInode: 7, allowOwnNetns: false }, 7))).toBe(8);
  expect(codeOf(() => refuseOwnNamespace({ netnsInode: 7, allowOwnNetns: true }, 7))).toBeUndefined();
  expect(codeOf(() => refuseOwnNamespace({ netnsInode: 0, allowOwnNetns: false }, 0))).toBeUndefined();
});

test("what containerd sends, with Go's names for keys", () => {
  const { wishes, pod } = parse(
    {
      runtimeConfig: {
        portMappings: [{ HostPort: 8080, ContainerPort: 80, Protocol: "TCP", HostIP: "" }],
        bandwidth: { IngressRate: 1000, IngressBurst: 4294967295 },
        dns: { Servers: ["10.0.0.10"], Searches: ["svc"], Options: ["ndots:5"] },
        "io.kubernetes.cri.pod-annotations": { "a/b": "c" },
        cgroupPath: "/kubepods/x",
      },
    },
    "IgnoreUnknown=1;K8S_POD_NAME=p;K8S_POD_NAMESPACE=n;K8S_POD_UID=u",
  );
  expect(pod).toBe("n/p");
  expect(wishes).toEqual({
    portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }],
    bandwidth: { ingressRate: 1000, ingressBurst: 4294967295 },
    dns: { nameservers: ["10.0.0.10"], search: ["svc"], options: ["ndots:5"] },
    podAnnotations: { "a/b": "c" },
    podLabels: {},
    cgroupPath: "/kubepods/x",
    aliases: [],
    ips: [],
  });
});

test("runtimeConfig wins over args.cni, which wins over CNI_ARGS, even when that is malformed", () => {
  const args = { cni: { ips: ["10.0.0.2/24"], mac: "02:00:00:00:00:02" } };
  expect(parse({}, "IP=10.0.0.1;MAC=02:00:00:00:00:01").wishes).toMatchObject({
    ips: ["10.0.0.1"],
    mac: "02:00:00:00:00:01",
  });
  expect(parse({ args }, "IP=10.0.0.1;MAC=nonsense").wishes).toMatchObject({
    ips: ["10.0.0.2/24"],
    mac: "02:00:00:00:00:02",
  });
  expect(parse({ args, runtimeConfig: { ips: ["fd00::3"], mac: "02:00:00:00:00:03" } }, "IP=x").wishes).toMatchObject({
    ips: ["fd00::3"],
    mac: "02:00:00:00:00:03",
  });
});

test.each([
  ["IP=300.1.1.1", "IP"],
  ["MAC=zz", "MAC"],
  ["nonsense", "nonsense"],
  ["A=1=2", "A=1=2"],
  ["=1", "=1"],
])("CNI_ARGS %s is an error of the environment that names it", (args, named) => {
  expect(codeOf(() => parse({}, args))).toBe(4);
  expect(() => parse({}, args)).toThrow(named);
});

test("absent, null and empty lists of valid attachments are three things", () => {
  const key = "cni.dev/valid-attachments";
  expect(parse({}).validAttachments).toBeUndefined();
  expect(parse({ [key]: null }).validAttachments).toBeUndefined();
  expect(parse({ [key]: [] }).validAttachments).toEqual([]);
  expect(parse({ "cni.dev/attachments": [{ containerID: "c1", ifname: "eth0" }] }).validAttachments).toEqual([
    { containerId: "c1", ifname: "eth0" },
  ]);
});

test("fields that are ours", () => {
  const conf = parse({ attachment: "bridge", network: "blue", ipMasq: "true", mtu: 0, ipam: { type: "host-local" } });
  expect(conf).toMatchObject({ attachment: "bridge", network: "blue", ipMasq: true, ipamType: "host-local" });
  expect(conf.mtu).toBeUndefined();
});

const refused: [object, string, number][] = [
  [{ mtu: 67 }, "mtu: 67 is not a whole number from 68 to 65535", 7],
  [{ mtu: "big" }, "mtu", 7],
  [{ ipMasq: 1 }, "ipMasq: 1 is not true or false", 7],
  [{ ipam: [] }, "ipam", 7],
  [{ runtimeConfig: { portMappings: [{ hostPort: 0 }] } }, "runtimeConfig.portMappings[0].hostPort", 7],
  [{ runtimeConfig: { mac: "ff:ff:ff:ff:ff:ff" } }, "runtimeConfig.mac", 7],
  [{ runtimeConfig: { bandwidth: { ingressRate: -1 } } }, "runtimeConfig.bandwidth.ingressRate", 7],
  [{ "cni.dev/valid-attachments": [{ containerID: "c1" }] }, "ifname", 7],
  [{ prevResult: { ips: [{ address: "10.1.0.5" }] } }, "could not parse prevResult: prevResult.ips[0].address", 999],
  [{ prevResult: { cniVersion: "9.0.0" } }, "unsupported CNI result version", 999],
  [{ prevResult: [] }, "prevResult", 999],
];
test.each(refused)("%j is refused by path", (config, message, code) => {
  expect(() => parse(config)).toThrow(message);
  expect(codeOf(() => parse(config))).toBe(code);
});

import { expect, test } from "@jest/globals";
import { parseNetConf } from "./netconf.ts";
import { parsePlanesAnnotation } from "./planes.ts";

test("the annotation as names", () => {
  expect(parsePlanesAnnotation("std, control,,media ").map(({ network }) => network)).toEqual([
    "std",
    "control",
    "media",
  ]);
  expect(parsePlanesAnnotation("")).toEqual([]);
});

test("the annotation as JSON", () => {
  const text =
    '["std", {"network": "media", "interface": "m0", "ips": ["10.3.0.9", "fd03::9/64"], "mac": "02:00:00:00:00:09", "defaultRoute": true}]';
  expect(parsePlanesAnnotation(text)).toEqual([
    { network: "std", ips: [], path: "selvedge.dev/planes[0]" },
    {
      network: "media",
      interface: "m0",
      ips: ["10.3.0.9", "fd03::9/64"],
      mac: "02:00:00:00:00:09",
      defaultRoute: true,
      path: "selvedge.dev/planes[1]",
    },
  ]);
});

const REFUSED: [text: string, message: string][] = [
  ["[std", 'selvedge.dev/planes: "[std" is not a list of networks, with commas between them or in JSON'],
  [
    "[5]",
    'selvedge.dev/planes[0]: 5 is not the name of a network, or an object such as {"network": "media", "interface": "m0"}',
  ],
  ["[{}]", "selvedge.dev/planes[0].network: is missing; it must be a string"],
  [
    '[{"network":"m","interface":"a/b"}]',
    'selvedge.dev/planes[0].interface: "a/b" is not a link name: 1 to 15 bytes without /, : or white space',
  ],
  [
    '[{"network":"m","ips":["10.0.0"]}]',
    'selvedge.dev/planes[0].ips[0]: "10.0.0" is not an IP address such as "10.1.0.5" or "fd00::5"',
  ],
  [
    '[{"network":"m","mac":"ff:ff:ff:ff:ff:ff"}]',
    'selvedge.dev/planes[0].mac: "ff:ff:ff:ff:ff:ff" is not a unicast MAC address such as "02:00:00:00:00:01"',
  ],
  ['[{"network":"m","defaultRoute":1}]', "selvedge.dev/planes[0].defaultRoute: 1 is not true or false"],
];
test.each(REFUSED)("%s is refused", (text, message) => expect(() => parsePlanesAnnotation(text)).toThrow(message));

test("planes of a configuration, and what the runtime passes of the pod", () => {
  const config = {
    cniVersion: "1.1.0",
    name: "n",
    type: "selvedge",
    planes: ["control", { network: "media" }],
    policyRouting: true,
    runtimeConfig: { "io.kubernetes.cri.pod-annotations": { "selvedge.dev/planes": "data" } },
    args: { cni: { labels: [{ key: "app", value: "upf" }] } },
  };
  const { planes, policyRouting, wishes } = parseNetConf("ADD", Buffer.from(JSON.stringify(config)), "");
  expect(planes).toEqual([
    { network: "control", ips: [], path: "planes[0]" },
    { network: "media", ips: [], path: "planes[1]" },
  ]);
  expect(policyRouting).toBe(true);
  expect(wishes.planes).toEqual([{ network: "data", ips: [], path: "selvedge.dev/planes[0]" }]);
  expect(wishes.podLabels).toEqual({ app: "upf" });
});

import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { pluginOf, readDefinition } from "./network-definition.ts";

const object = (config?: unknown) =>
  root({ metadata: { namespace: "shop", name: "blue", uid: "u" }, spec: config === undefined ? {} : { config } });
const read = (config?: unknown) => pluginOf(readDefinition(object(config)));

test("of an object its name and its configuration are kept", () => {
  expect(readDefinition(object("{}"))).toEqual({ namespace: "shop", name: "blue", config: "{}" });
});

test("the resource that its pods ask for is kept, too", () => {
  const annotations = { "k8s.v1.cni.cncf.io/resourceName": "selvedge.dev/fast", other: "x" };
  const named = (all: object) => root({ metadata: { name: "blue", annotations: all }, spec: { config: "{}" } });
  expect(readDefinition(named(annotations)).resource).toBe("selvedge.dev/fast");
  expect(() => readDefinition(named({ ...annotations, "k8s.v1.cni.cncf.io/resourceName": 7 }))).toThrow(
    "metadata.annotations.k8s.v1.cni.cncf.io/resourceName: 7 is not a string",
  );
});

const READ: [what: string, config: unknown, plugin: object][] = [
  ["no configuration: the network of that name", undefined, { keys: { network: "blue" } }],
  ["an empty one", "", { keys: { network: "blue" } }],
  [
    "one plugin, and a name",
    '{"cniVersion": "0.3.0", "name": "lan", "type": "selvedge", "network": "media"}',
    { name: "lan", keys: { name: "lan", type: "selvedge", network: "media" } },
  ],
  [
    "a list of one",
    '{"cniVersion": "1.0.0", "name": "lan", "plugins": [{"type": "selvedge", "mtu": 9000}]}',
    { name: "lan", keys: { type: "selvedge", mtu: 9000 } },
  ],
  [
    "what only a runtime says is passed over, whatever its case",
    '{"type": "selvedge", "RuntimeConfig": {"ips": []}, "prevResult": {}}',
    { keys: { type: "selvedge" } },
  ],
];
test.each(READ)("%s", (_what, config, plugin) => expect(read(config)).toEqual(plugin));

const REFUSED: [config: unknown, message: string][] = [
  ["{", 'spec.config: "{" is not JSON of a network configuration, or of a list with one plugin'],
  [7, "spec.config: 7 is not a string"],
  ["[]", "spec.config: [] is not an object"],
  ["{}", 'spec.config.type: is missing; it must be "selvedge"'],
  ['{"type": "ovn-k8s-cni-overlay"}', 'spec.config.type: "ovn-k8s-cni-overlay" is not "selvedge"'],
  ['{"type": "macvlan"}', '"macvlan" is not "selvedge": write "type": "selvedge", "attachment": "macvlan"'],
  ['{"plugins": []}', 'spec.config.plugins: [] is not a list of one plugin, "selvedge"'],
  ['{"plugins": [{"type": "selvedge"}, {"type": "tuning"}]}', '["selvedge","tuning"] is not a list of one plugin'],
  ['{"plugins": [{"type": "bridge"}]}', 'spec.config.plugins[0].type: "bridge" is not "selvedge"'],
];
test.each(REFUSED)("%j is refused", (config, message) => expect(() => read(config)).toThrow(message));

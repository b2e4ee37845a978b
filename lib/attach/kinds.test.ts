import { readdirSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { SERVED } from "#lib/config/unserved.ts";
import { isFailure } from "#lib/errors.ts";
import { fields, root } from "#lib/parse.ts";
import { diff } from "#lib/state/diff.ts";
import { identity } from "#lib/state/fact.ts";
import { card, dualStack, lines, uplink } from "../../test/attach/sample.ts";
import { fc } from "../../test/support/property.ts";
import type { Wishes } from "./add-ons.ts";
import { assemble } from "./assemble.ts";
import type { Attached } from "./kind.ts";
import { ATTACHMENT_TYPES, attachmentType, kinds, plan } from "./kinds.ts";

test("every folder is a row", () => {
  const folders = readdirSync(new URL(".", import.meta.url), { withFileTypes: true }).filter((e) => e.isDirectory());
  expect(folders.map((e) => e.name).sort()).toEqual(Object.keys(kinds).sort());
});

test("a type by its name", () => {
  const at = fields(root({ attachment: "bridge", wrong: "brigde" }));
  expect(attachmentType(at("attachment"))).toBe("bridge");
  expect(attachmentType(at("absent"))).toBe("ptp");
  expect(() => attachmentType(at("wrong"))).toThrow('wrong: "brigde" is not one of "ptp", "bridge", "macvlan"');
});

const everything = {
  masquerade: true,
  spoofProtection: true,
  portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" as const }],
  bandwidth: { ingressRate: 1_000_000, egressRate: 2_000_000 },
};

const addOns = (guard: string) => [
  `+ element ${guard} selvedge allowed4 { sv1 . 02:00:00:00:00:05 . 10.1.0.5 }`,
  `+ element ${guard} selvedge allowed6 { sv1 . 02:00:00:00:00:05 . fd00::5 }`,
  `+ element ${guard} selvedge allowed_mac { sv1 . 02:00:00:00:00:05 }`,
  `+ element ${guard} selvedge guarded { sv1 }`,
  "+ element inet selvedge masq4 { 10.1.0.5 }",
  "+ element inet selvedge masq6 { fd00::5 }",
  "+ element inet selvedge ports4 { tcp . 8080 : 10.1.0.5 . 80 }",
  "+ element inet selvedge ports6 { tcp . 8080 : fd00::5 . 80 }",
  "+ qdisc tbf dev sv1 rate 1000000bit burst 32768b latency 25000us",
  "+ link sbec43057c07a ifb up mtu 1450 no-ipv6-link-local",
  "+ qdisc tbf dev sbec43057c07a rate 2000000bit burst 32768b latency 25000us",
  "+ filter ingress dev sv1 redirect sbec43057c07a",
];

test.each([
  ["ptp", "inet"],
  ["bridge", "bridge"],
] as const)("%s with everything: its own facts, then the rest in `%s`", (type, guard) => {
  const planned = plan(type, root({}));
  const own = planned.build({ ...dualStack, published: true }).facts;
  const all = assemble(planned, dualStack, everything).facts;
  expect(lines(all)).toEqual([...lines(own), ...addOns(guard)]);
});

test("nothing asked for, nothing added", () => {
  const nothing = { masquerade: false, spoofProtection: false, portMappings: [] };
  const planned = plan("ptp", root({}));
  expect(assemble(planned, dualStack, nothing)).toEqual(planned.build(dualStack));
});

test.each(["macvlan", "ipvlan", "vlan", "tap"] as const)("%s: defaults of the node mean nothing", (type) => {
  const pod = { ...dualStack, carrier: uplink, mac: uplink.mac };
  const planned = plan(type, root({ vlanId: 100 }));
  const defaults = { masquerade: true, spoofProtection: true, portMappings: [], bandwidth: { ingressRate: 0 } };
  expect(assemble(planned, pod, defaults)).toEqual(planned.build({ ...pod, published: false }));
});

test("the daemon's configuration knows whose packets pass the node", () => {
  const pod = { ...dualStack, published: false, carrier: uplink, device: card, mac: uplink.mac };
  const served = ATTACHMENT_TYPES.filter((type) => plan(type, root({ vlanId: 100 })).build(pod).guard !== undefined);
  expect(served).toEqual(SERVED);
});

const inVain: [wish: Partial<Wishes>, message: string][] = [
  [{ spoofProtectionAsked: true }, 'spoofProtection: true is not supported: packets of the attachment type "macvlan"'],
  [{ portMappings: everything.portMappings }, "where they could be translated to host ports"],
  [{ bandwidth: everything.bandwidth }, "where they could be shaped"],
];
test.each(inVain)("a wish that only the node could fulfil: %j", (wish, message) => {
  const wishes = { masquerade: true, spoofProtection: true, portMappings: [], ...wish };
  expect(() => assemble(plan("macvlan", root({})), { ...dualStack, carrier: uplink }, wishes)).toThrow(message);
});

const pods: fc.Arbitrary<Attached> = fc
  .record({
    v4: fc.option(fc.integer({ min: 2, max: 250 })),
    v6: fc.option(fc.integer({ min: 2, max: 250 })),
    gateways: fc.boolean(),
    routes: fc.subarray([prefix("0.0.0.0/0"), prefix("::/0"), prefix("10.9.0.0/16"), prefix("fd09::/64")]),
    mtu: fc.integer({ min: 1280, max: 9000 }),
    published: fc.boolean(),
  })
  .map(({ v4, v6, gateways, routes, mtu, published }) => ({
    ...dualStack,
    carrier: uplink,
    device: card,
    mac: uplink.mac,
    mtu,
    published,
    routes: routes.map((to) => ({ to })),
    addresses: [
      ...(v4 === null
        ? []
        : [{ address: prefix(`10.1.0.${v4}/24`), ...(gateways ? { gateway: address("10.1.0.1") } : {}) }]),
      ...(v6 === null
        ? []
        : [{ address: prefix(`fd00::${v6}/64`), ...(gateways ? { gateway: address("fd00::1") } : {}) }]),
    ],
  }));
const configs = fc.record(
  {
    isGateway: fc.boolean(),
    isDefaultGateway: fc.boolean(),
    hairpinMode: fc.boolean(),
    hostShim: fc.boolean(),
    vlanId: fc.integer({ min: 1, max: 4_094 }),
    outerVlanId: fc.integer({ min: 1, max: 4_094 }),
  },
  { requiredKeys: ["vlanId"] },
);

test.each(ATTACHMENT_TYPES)("%s: the same in, the same out; no thing twice; facts are plain JSON", (type) =>
  fc.assert(
    fc.property(configs, pods, (config, pod) => {
      const built = plan(type, root(config)).build(pod);
      expect(JSON.stringify(plan(type, root(config)).build(structuredClone(pod)))).toBe(JSON.stringify(built));
      const all = [...built.shared, ...built.facts];
      const names = all.map(identity);
      expect(new Set(names).size).toBe(names.length);
      expect(diff(all, JSON.parse(JSON.stringify(all)))).toEqual([]);
      // Everything that names a link names one that the attachment makes.
      const links = new Set(all.flatMap((f) => (f.type === "link" ? [`${f.at} ${f.name}`] : [])));
      for (const f of all)
        if (f.type === "address" || f.type === "route" || f.type === "neighbour")
          expect(links).toContain(`${f.at} ${f.link}`);
      if (type !== "loopback") expect(built.ips).toHaveLength(pod.addresses.length);
    }),
  ),
);

const json = fc.dictionary(
  fc.constantFrom(
    "bridge",
    "isGateway",
    "hairpinMode",
    "promiscMode",
    "vlan",
    "vlanTrunk",
    "ipam",
    "macspoofchk",
    "mtu",
    "master",
    "mode",
    "linkInContainer",
    "hostShim",
    "bcqueuelen",
    "vlanId",
    "outerVlanId",
    "vlanProtocol",
    "owner",
    "multiQueue",
    "selinuxContext",
    "duplicateCheck",
  ),
  fc.jsonValue(),
);
test.each(ATTACHMENT_TYPES)("%s: any configuration is read or refused", (type) =>
  fc.assert(
    fc.property(json, (config) => {
      try {
        expect(typeof plan(type, root(config)).addressless).toBe("boolean");
      } catch (error) {
        expect(isFailure(error, "config-invalid", "unsupported-field")).toBe(true);
      }
    }),
  ),
);

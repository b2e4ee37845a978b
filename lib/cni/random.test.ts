import { expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
import { fc } from "../../test/support/property.ts";
import { parseEnvironment } from "./environment.ts";
import { toCniError } from "./error.ts";
import { parseNetConf } from "./netconf.ts";
import { pluginOf } from "./network-definition.ts";
import { parseSelections } from "./network-selection.ts";
import { VERBS, VERSIONS } from "./types.ts";

/** Runs `work`; anything thrown must be ours and must print as an error object. */
function holds(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof SelvedgeError)) throw error;
    const { code, msg } = toCniError(error);
    expect(code).toBeGreaterThan(0);
    expect(msg).not.toBe("");
  }
}

const KEYS = [
  "runtimeConfig",
  "prevResult",
  "ipam",
  "dns",
  "args",
  "cni",
  "ips",
  "interfaces",
  "routes",
  "mtu",
  "mac",
  "portMappings",
  "bandwidth",
  "hostPort",
  "containerPort",
  "address",
  "dst",
  "gw",
  "ip4",
  "cni.dev/valid-attachments",
  "containerID",
  "__proto__",
  "constructor",
  "toString",
  "ipMasq",
  "attachment",
  "aliases",
  "type",
] as const;
const key = fc.oneof(
  fc.constantFrom(...KEYS),
  fc.constantFrom(...KEYS).map((k) => k.toUpperCase()),
  fc.string(),
);
const leaf = fc.oneof(
  fc.constantFrom<unknown>("10.1.0.5/16", "fd00::1", "02:00:00:00:00:01", "", null, true, 0, -1, 1e300, 80, "\u0000"),
  fc.string(),
  fc.double(),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie("tree")), { maxLength: 6 }).map((pairs) => Object.fromEntries(pairs)),
  ),
}));
const member = fc.tuple(key, tree).map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v) ?? "null"}`);
/** Mostly well-formed, with duplicate keys as they come; now and then cut off or overwritten. */
const config = fc
  .tuple(fc.constantFrom(...VERSIONS, "", "9.9.9"), fc.array(member, { maxLength: 8 }), fc.nat(400), fc.boolean())
  .map(([version, members, cut, whole]) => {
    const text = `{"cniVersion":"${version}","name":"n"${members.map((m) => `,${m}`).join("")}}`;
    return new TextEncoder().encode(whole ? text : text.slice(0, cut));
  });
const args = fc.oneof(
  fc.string(),
  fc
    .array(fc.tuple(fc.constantFrom("IP", "MAC", "K8S_POD_NAME", "__proto__"), fc.string()))
    .map((pairs) => pairs.map(([k, v]) => `${k}=${v}`).join(";")),
);
const NAMES = ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH", "TRACEPARENT"];
const environment = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), fc.oneof(fc.constantFrom(...VERBS, "c1", "eth0"), fc.string())))
  .map((pairs) => Object.fromEntries(pairs));

test("ten thousand random configurations: a configuration or an error of ours", () => {
  fc.assert(
    fc.property(fc.constantFrom(...VERBS), config, args, (verb, bytes, text) =>
      holds(() => parseNetConf(verb, bytes, text)),
    ),
    { numRuns: 10_000 },
  );
});

test("random bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => holds(() => parseNetConf("ADD", bytes, ""))),
    { numRuns: 1_000 },
  );
});

const annotation = fc.oneof(
  fc.string(),
  fc
    .array(fc.tuple(fc.constantFrom("name", "namespace", "interface", "ips", "default-route", "cni-args"), tree))
    .map((pairs) => JSON.stringify([{ name: "blue", ...Object.fromEntries(pairs) }])),
  tree.map((value) => JSON.stringify([value])),
);
test("ten thousand random annotations: networks or an error of ours", () => {
  fc.assert(
    fc.property(annotation, (text) => holds(() => parseSelections(text, "shop"))),
    { numRuns: 10_000 },
  );
});

test("a thousand random definitions: a plugin or an error of ours", () => {
  const written = fc.oneof(
    tree,
    tree.map((value) => JSON.stringify(value)),
    tree.map((value) => JSON.stringify({ plugins: value })),
    fc.dictionary(key, tree).map((keys) => JSON.stringify({ ...keys, type: "selvedge" })),
  );
  fc.assert(
    fc.property(written, (config) => holds(() => pluginOf({ namespace: "shop", name: "blue", config }))),
    { numRuns: 1_000 },
  );
});

test("ten thousand random environments: an environment or an error of ours", () => {
  fc.assert(
    fc.property(environment, (variables) => holds(() => parseEnvironment(variables))),
    { numRuns: 10_000 },
  );
});

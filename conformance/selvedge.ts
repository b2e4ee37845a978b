/** Our own plugin as subjects: the built executable, and a daemon on the node. */
import { BUILT, startDaemon } from "./daemon.ts";
import { type JsonObject, type OpenSubject, overlay, type Trait, VERSIONS } from "./subject.ts";

const TRAITS = [
  "bandwidth",
  "chained",
  "check-link",
  "check-routes",
  "dual-stack",
  "gc",
  "hairpin",
  "host-ports",
  "ips",
  "late-del",
  "localhost-ports",
  "mac",
  "masquerade",
  "mtu",
  "name-taken",
  "node-to-pod",
  "own-ipam",
  "result-mtu",
  "route-fields",
  "sctp",
  "selvedge",
  "spoof-protection",
  "status",
] as const satisfies readonly Trait[];

const CAPABILITIES = { bandwidth: true, ips: true, ipRanges: true, mac: true, portMappings: true };

/** Repairs wait, so that what a case breaks is still broken when CHECK looks. */
const SLOW_REPAIR = { reconcile: { everySeconds: 3600, debounceMs: 60_000 } };

const subject =
  (name: string, traits: readonly Trait[], main: JsonObject): OpenSubject =>
  async ({ node }, directory) => {
    const daemon = await startDaemon({ namespace: node.namespace, directory, config: SLOW_REPAIR });
    const base: JsonObject = {
      ...main,
      type: "selvedge",
      capabilities: CAPABILITIES,
      ipam: { type: "selvedge", ranges: [[{ subnet: "10.88.0.0/16" }]], routes: [{ dst: "0.0.0.0/0" }] },
    };
    return {
      name,
      traits,
      versions: VERSIONS,
      bin: BUILT,
      environment: daemon.environment,
      plugins: (wish) => [overlay(base, wish)],
      [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
    };
  };

export const OURS: readonly OpenSubject[] = [
  subject("selvedge ptp", [...TRAITS, "routed"], { attachment: "ptp" }),
  subject("selvedge bridge", [...TRAITS, "bridge"], {
    attachment: "bridge",
    bridge: "cni0",
    isGateway: true,
    hairpinMode: true,
  }),
];

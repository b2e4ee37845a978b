/**
 * Tenants, pools, networks and routers as objects of a real API server: what it refuses by itself, and what the daemon makes of the
 * rest. In one file, because the server and the node that all of it is tried on take half a minute to be there.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { parseAllDocuments } from "yaml";
import { linesOf } from "#lib/edge/tree.ts";
import { asking } from "#lib/k8s/api/ask.ts";
import { say } from "#lib/k8s/api/say.ts";
import { eventually, inside, run } from "../../conformance/program.ts";
import { pki } from "../store/pki.ts";
import type { LiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { grammarFile } from "../support/vyos/grammar.ts";
import { standin } from "../support/vyos/standin.ts";
import { CONTROL_PLANE_NEEDS, type ControlPlane } from "./control-plane.ts";
import { CABLE, type JoinedNode, joinedNode } from "./joined-node.ts";
import { CONFIGURATION, ROUTER_SECRET } from "./manifests.ts";
import { runs } from "./runs.ts";

const LONG_MS = 90_000;
/** Two looks at what is to be said. */
const STILL_MS = 12_000;

let joined: JoinedNode;
let kubernetes: ControlPlane;
let live: LiveNode;
beforeAll(async () => {
  if (runs === test.skip) return;
  joined = await joinedNode({
    name: "objs",
    config: {
      ipam: { coolDownSeconds: 0 },
      networks: [{ name: "std", expose: true }],
      pools: [{ name: "default", ranges: [[{ subnet: "10.66.0.0/16" }]] }],
      kubernetes: { resources: true },
      edge: { driftSeconds: 5, verifySeconds: 0 },
      // Where they go with the test.
      routers: { dir: "/run/netns" },
    },
    objects: parseAllDocuments(readFileSync(CONFIGURATION, "utf8")).map((each) => each.toJS() as object),
  });
  ({ live, kubernetes } = joined);
}, 240_000);
afterAll(async () => joined?.[Symbol.asyncDispose](), 60_000);

const object = (kind: string, name: string, spec: object) => ({
  apiVersion: "selvedge.dev/v1alpha1",
  kind,
  metadata: { name },
  spec,
});
const pool = (name: string, subnet: string) => object("AddressPool", name, { ranges: [[{ subnet }]] });
const network = (name: string, spec: object) => object("Network", name, spec);
const apply = (...items: readonly object[]) =>
  kubernetes.kubectl(["apply", "--filename=-"], { apiVersion: "v1", kind: "List", items });
const remove = (...names: readonly string[]) => kubernetes.kubectl(["delete", ...names]);
const accepted = (...names: readonly string[]) =>
  kubernetes.kubectl(["wait", "--for=condition=Accepted", "--timeout=50s", ...names]);

const KEY = { secret: { name: "edge1", key: "api" } };
const ROUTER = { url: "https://192.0.2.1", key: KEY };
const SITE = { name: "west", interface: "vti1", networks: ["10.5.0.0/16"] };
const IPSEC = { local: "192.0.2.1", remote: "192.0.2.2", secret: KEY };
const SERVICE = { name: "dns", address: "10.0.0.53", port: 53, to: "192.0.2.5:53" };
const REFUSED: readonly (readonly [kind: string, spec: object, said: string])[] = [
  ["AddressPool", {}, "spec.ranges: Required value"],
  ["AddressPool", { ranges: [[{ subnet: "10.1.0.0" }]] }, 'It must be a prefix such as "10.1.0.0/16" or "fd00::/64".'],
  ["AddressPool", { ranges: [[{ subnet: "10.1.0.0/16" }]], keepAdress: true }, 'unknown field "spec.keepAdress"'],
  ["Network", { attachment: "brigde" }, 'spec.attachment: Unsupported value: "brigde"'],
  ["Network", { mtu: 70 }, "spec.mtu: Invalid value: 70: spec.mtu in body should be greater than or equal to 576"],
  ["Network", { pool: "a", pools: ["b"] }, "It has either a pool or pools."],
  ["Network", { attachment: "ptp", vlan: 7 }, "vlan is possible with attachment bridge, vlan, sriov."],
  ["Tenant", { peers: ["a", "b", "a"] }, 'spec.peers[2]: Duplicate value: "a"'],
  ["Tenant", { services: [SERVICE, { ...SERVICE, name: "other" }] }, "lead to one service"],
  ["Tenant", { services: [{ ...SERVICE, address: "fd00::9" }] }, "is of the family of its server"],
  ["Tenant", { services: [{ ...SERVICE, to: "192.0.2.5" }] }, "spec.services[0].to in body should match"],
  ["Network", { stretch: { vni: 7 } }, 'unknown field "spec.stretch"'],
  ["Router", { key: KEY }, "spec.url: Required value"],
  ["Router", { ...ROUTER, url: "http://192.0.2.1" }, "spec.url in body should match"],
  ["Router", { url: ROUTER.url, key: { file: "/etc/shadow" } }, 'unknown field "spec.key.file"'],
  ["Router", { url: ROUTER.url, key: {} }, "spec.key.secret: Required value"],
  ["Router", { ...ROUTER, trust: { ca: "/etc/shadow" } }, 'unknown field "spec.trust.ca"'],
  ["Router", { ...ROUTER, static: {}, bgp: { as: 65_000, nodesAs: 65_001 } }, "It has either static or bgp."],
  ["Router", { ...ROUTER, bgp: { as: 1, nodesAs: "external", addresses: ["192.0.2.1"] } }, "bgp.nodesAs is a number"],
  ["Router", { ...ROUTER, bgp: { as: 1, nodesAs: "other" } }, "It must be an AS number,"],
  ["Router", { ...ROUTER, sites: [{ ...SITE, networks: ["10.5.0.0"], ipsec: IPSEC }] }, "It must be a prefix"],
  ["Router", { ...ROUTER, sites: [SITE] }, "Each of sites has either wireguard or ipsec."],
  [
    "Router",
    { ...ROUTER, nat: { egress: [{ source: "10.5.0.1/16", address: "192.0.2.7", interface: "eth0" }] } },
    "egress[0].source: Invalid",
  ],
  ["Router", { ...ROUTER, loadBalancers: [{ name: "web", port: 80 }] }, "has either servers or pods."],
];
runs.each(REFUSED)("the server refuses %s %j", async (kind, spec, said) => {
  const wrong = kubernetes.kubectl(["apply", "--filename=-"], object(kind, "wrong", spec));
  await expect(wrong).rejects.toThrow(said);
});

runs("what stands on nodes is made of stays as it is", async () => {
  const kept = (over: object) => network("kept", { attachment: "bridge", bridge: "br7", ...over });
  await apply(kept({}));
  await apply(kept({ mtu: 1_300 }));
  await expect(apply(kept({ bridge: "br8" }))).rejects.toThrow("bridge stays as it is: pods have been attached");
  await apply(pool("kept", "10.7.0.0/24"));
  await expect(apply(pool("kept", "10.7.0.0/16"))).rejects.toThrow("ranges stays as it is");
  await remove("network/kept", "addresspool/kept");
});

const on = (name: string) => ({ config: { network: name } });
interface Answer {
  readonly exit: number | undefined;
  readonly stdout: string;
}
const said = ({ exit, stdout }: Answer): string =>
  exit === 0 ? "" : (JSON.parse(stdout) as { readonly msg: string }).msg;

runs(
  "a network that comes after the daemon serves its pods, changes for the next one, and goes when nobody is on it",
  async () => {
    await live.pods("objs-a", "objs-b", "objs-c");
    expect(said(await live.ask("ADD", "objs-a", on("media")))).toContain("is not a network of");
    await apply(network("media", { pool: "media", mtu: 1_400 }), pool("media", "10.77.0.0/24"));
    await accepted("network/media", "addresspool/media");
    expect(await kubernetes.kubectl(["get", "network", "media", "--no-headers"])).toMatch(/^media +media +True /);
    expect(await kubernetes.kubectl(["get", "addresspool", "media", "--no-headers"])).toMatch(
      /10\.77\.0\.0\/24.* True /,
    );
    expect(said(await live.ask("ADD", "objs-a", on("media")))).toBe("");
    expect(await live.within("objs-a", "ip", "address", "show", "eth0")).toMatch(/mtu 1400[\s\S]*inet 10\.77\.0\./);

    await apply(network("media", { pool: "media", mtu: 1_300 }));
    await eventually(
      "the change counts",
      async () => {
        await live.ask("DEL", "objs-b");
        if (said(await live.ask("ADD", "objs-b", on("media"))) !== "") return undefined;
        return (await live.within("objs-b", "ip", "link", "show", "eth0")).includes("mtu 1300") || undefined;
      },
      LONG_MS,
    );

    await remove("network/media", "addresspool/media");
    await eventually(
      "nobody comes any more",
      async () => {
        await live.ask("DEL", "objs-c");
        const refusal = said(await live.ask("ADD", "objs-c", on("media")));
        return refusal.startsWith('network: "media" has been deleted, or made anew') || undefined;
      },
      LONG_MS,
    );
    expect(said(await live.ask("CHECK", "objs-a", on("media")))).toBe("");
    const [, other = ""] = /inet ([\d.]+)/.exec(await live.within("objs-b", "ip", "address", "show", "eth0")) ?? [];
    expect(await live.within("objs-a", "ping", "-c1", "-W5", other)).toContain("1 received");
    await live.ask("DEL", "objs-a", on("media"));
    await live.ask("DEL", "objs-b", on("media"));
    await eventually(
      "it is no network any more",
      async () => said(await live.ask("ADD", "objs-c", on("media"))).includes("is not a network of") || undefined,
      LONG_MS,
    );
    await live.ask("DEL", "objs-c");
    expect([live.rows("attachment"), live.rows("lease")]).toEqual([[], []]);
  },
  4 * LONG_MS,
);

runs(
  "a tenant that comes after the daemon has a router of its own, changes under its pods, and goes with the last of them",
  async () => {
    const tenants = (...items: readonly (readonly [name: string, spec: object])[]) =>
      apply(...items.map(([name, spec]) => object("Tenant", name, spec)));
    await live.pods("objs-r", "objs-s", "objs-t");
    // Of each other's addresses.
    await tenants(["red", {}], ["blue", {}]);
    await apply(pool("red", "10.88.0.0/24"), pool("blue", "10.88.0.0/24"));
    await apply(network("red", { tenant: "red", pool: "red" }), network("blue", { tenant: "blue", pool: "blue" }));
    await accepted("tenant/red", "tenant/blue", "network/red", "network/blue");
    expect(said(await live.ask("ADD", "objs-r", on("red")))).toBe("");
    expect(said(await live.ask("ADD", "objs-s", on("blue")))).toBe("");
    const address = async (pod: string) =>
      /inet ([\d.]+)/.exec(await live.within(pod, "ip", "address", "show", "eth0"))?.[1];
    expect(await address("objs-r")).toBe(await address("objs-s"));
    const uplinks = async () =>
      (await live.on("ip", "-4", "-brief", "address"))
        .split("\n")
        .filter((line) => /^st[0-9a-f]{11}@/.test(line))
        .sort();
    const before = await uplinks();
    expect(before).toHaveLength(2);

    const reaches = async () => (await run(inside("objs-r", ["ping", "-c1", "-W2", live.outside.ip4]))).exit === 0;
    expect(await reaches()).toBe(true);
    await tenants(["red", { egress: false, peers: ["green"] }], ["aaa", {}]);
    await eventually("it has no way out any more", async () => !(await reaches()) || undefined, LONG_MS);
    await accepted("tenant/aaa");
    const ready = '{.status.conditions[?(@.type=="Ready")].message}';
    expect(await kubernetes.kubectl(["get", "tenant/red", `--output=jsonpath=${ready}`])).toContain(
      'spec.peers[0]: there is no tenant "green"',
    );
    expect(await uplinks()).toEqual(before);

    await remove("tenant/red", "tenant/aaa", "network/blue", "tenant/blue", "addresspool/blue");
    await eventually(
      "nobody comes any more",
      async () => {
        await live.ask("DEL", "objs-t");
        return (
          said(await live.ask("ADD", "objs-t", on("red"))).includes('is of tenant "red", which has been deleted') ||
          undefined
        );
      },
      LONG_MS,
    );
    await live.ask("DEL", "objs-t");
    for (const [pod, name] of [
      ["objs-r", "red"],
      ["objs-s", "blue"],
    ] as const)
      expect(said(await live.ask("CHECK", pod, on(name)))).toBe("");
    expect(await uplinks()).toEqual(before);
    await live.ask("DEL", "objs-r", on("red"));
    await live.ask("DEL", "objs-s", on("blue"));
    await remove("network/red", "addresspool/red");
    await eventually("no router is left", async () => (await uplinks()).length === 0 || undefined, LONG_MS);
    expect([live.rows("attachment"), live.rows("lease")]).toEqual([[], []]);
  },
  4 * LONG_MS,
);

runs(
  "one that is wrong says what would be right, and hurts no other",
  async () => {
    await apply(pool("lost", "10.78.0.0/24"));
    await accepted("addresspool/lost");
    await apply(
      network("lost", { pool: "lsot" }),
      pool("over", "10.66.5.0/24"),
      network("std", { mtu: 1_300 }),
      network("right", { pool: "lost" }),
    );
    await accepted("network/right");
    const refusal = (name: string): Promise<object> =>
      eventually(
        `${name} is refused`,
        async () => {
          const { status, metadata } = JSON.parse(await kubernetes.kubectl(["get", name, "--output=json"])) as {
            status?: {
              conditions: readonly { type: string; observedGeneration: number; lastTransitionTime: string }[];
            };
            metadata: { generation: number };
          };
          const found = status?.conditions.find(({ type }) => type === "Accepted");
          if (found === undefined || found.observedGeneration !== metadata.generation) return undefined;
          const { lastTransitionTime: _, observedGeneration: __, ...condition } = found;
          return condition;
        },
        LONG_MS,
      );
    expect(await refusal("network/lost")).toEqual({
      type: "Accepted",
      status: "False",
      reason: "Invalid",
      message: 'spec.pool: there is no pool "lsot"; did you mean "lost"?',
    });
    const events = async () => {
      const said = await kubernetes.kubectl(["get", "events", "--namespace=default", "--output=json"]);
      return (
        JSON.parse(said) as { items: { type: string; message: string; involvedObject: { name: string } }[] }
      ).items
        .filter(({ involvedObject }) => involvedObject.name === "lost")
        .map(({ type, message }) => `${type} ${message}`);
    };
    const warning = 'Warning spec.pool: there is no pool "lsot"; did you mean "lost"?';
    await eventually("there is an event", async () => (await events()).includes(warning) || undefined, LONG_MS);
    expect(await refusal("addresspool/over")).toMatchObject({
      status: "False",
      message: expect.stringMatching(/^spec\.ranges: 10\.66\.5\.0\/24 overlaps 10\.66\.0\.0\/16 of pool "default"/),
    });
    expect(await refusal("network/std")).toMatchObject({ status: "False", reason: "NameTaken" });
    await live.pods("objs-d");
    expect(said(await live.ask("ADD", "objs-d", on("right")))).toBe("");
    await live.ask("DEL", "objs-d");
    await apply(network("lost", { pool: "lost" }));
    await accepted("network/lost");
    expect(await events()).toEqual([warning]);
    await remove("network/lost", "network/std", "addresspool/over");
  },
  4 * LONG_MS,
);

runs(
  "a daemon that starts while the server is away has what it took before",
  async () => {
    await apply(pool("lost", "10.78.0.0/24"), network("right", { pool: "lost" }));
    await accepted("network/right", "addresspool/lost");
    await live.pods("objs-e");
    expect(said(await live.ask("ADD", "objs-e", on("right")))).toBe("");
    await live.daemon.stop();
    await kubernetes.stopServer();
    const begun = live.daemon.start();
    try {
      // No daemon starts pods before it knows their policies; a network that it does not know it would refuse at once.
      await eventually(
        "it waits for policies, and for nothing else",
        async () => /not ready.*polic/.test(said(await live.ask("STATUS", "objs-e", on("right")))) || undefined,
        LONG_MS,
      );
      expect(said(await live.ask("CHECK", "objs-e", on("right")))).toBe("");
    } finally {
      await kubernetes.startServer();
      await begun;
    }
    await live.pods("objs-f");
    await eventually(
      "it serves",
      async () => said(await live.ask("ADD", "objs-f", on("right"))) === "" || undefined,
      LONG_MS,
    );
    await live.ask("DEL", "objs-e");
    await live.ask("DEL", "objs-f");
    await remove("network/right", "addresspool/lost");
  },
  4 * LONG_MS,
);

const FULL = {
  ...ROUTER,
  trust: { fingerprint: "0F".repeat(32) },
  probes: ["203.0.113.9:443"],
  bgp: {
    as: 65_000,
    nodesAs: "internal",
    addresses: ["192.0.2.1"],
    bfd: "fast",
    password: KEY,
    communities: ["65000:1"],
  },
  nat: {
    masquerade: [{ interface: "eth0", pools: ["default"] }],
    egress: [{ source: "10.66.9.0/24", address: "198.51.100.9", interface: "eth0" }],
    oneToOne: [{ outside: "2001:db8::5", inside: "fd66::9", interface: "eth0" }],
    publish: [{ name: "web", interface: "eth0", port: 443, to: "[fd66::5]:8443" }],
  },
  groups: [
    { name: "PODS", of: "pools" },
    { name: "WEB", of: "pods", pods: { namespace: "shop", labels: { app: "web" } } },
  ],
  firewall: { jumpRule: 500, rules: [{ name: "web", action: "accept", to: "WEB", protocol: "tcp", ports: [443] }] },
  loadBalancers: [{ name: "web", port: 80, pods: { labels: { app: "web" }, port: 8_080 } }],
  virtualServers: [{ name: "dns", address: "198.51.100.7", port: 53, protocol: "udp", servers: ["10.66.0.5:53"] }],
  zones: [{ domain: "cluster.local", servers: ["10.66.0.10"] }],
  vrfs: [{ name: "BLUE", table: 1_002 }],
  shapers: [{ interface: "eth0", rate: 1_000_000, classes: ["EF", 10].map((dscp) => ({ dscp, percent: 30 })) }],
  sites: [
    { ...SITE, ipsec: IPSEC },
    {
      ...SITE,
      name: "east",
      interface: "wg1",
      networks: ["fd70::/48"],
      addresses: ["10.255.0.1/30"],
      bgp: { as: 65_000, remoteAs: 65_010, neighbour: "10.255.0.2" },
      wireguard: { privateKey: KEY, publicKey: `${"Bwc".repeat(14)}B=`, endpoint: "198.51.100.1:51820" },
    },
  ],
  legs: [
    {
      name: "blue",
      interface: "vxlan100",
      vrf: "BLUE",
      vxlan: { vni: 100, local: "192.0.2.1", remotes: ["192.0.2.9"] },
    },
    {
      name: "red",
      interface: "tun1",
      networks: ["10.9.0.0/16"],
      gre: { local: "192.0.2.1", remote: "192.0.2.7", key: 0 },
    },
  ],
};
runs("a router with everything that one may have is taken by the server, and by the daemon", async () => {
  await apply(object("Router", "full", FULL));
  await accepted("router/full");
  await remove("router/full");
});

const withRouter = needing(...CONTROL_PLANE_NEEDS, { program: "openssl" }, { file: grammarFile("1.4") });
withRouter(
  "a router that comes after the daemon is written to, follows its object, and is left as it is when that goes",
  async () => {
    using certificates = pki();
    const identity = certificates.authority("edge-ca").issue("edge1", [`IP:${CABLE.server}`]);
    await using router = await standin("1.4", identity, { host: CABLE.server });
    router.key = "a-secret-of-the-router";
    const { fingerprint256: fingerprint } = new X509Certificate(readFileSync(identity.certificate));
    const edge = (over: object) =>
      object("Router", "edge1", { url: router.url, key: KEY, trust: { fingerprint }, ...over });
    const of = (name: string, path: string) =>
      kubernetes.kubectl(["get", `router/${name}`, `--output=jsonpath=${path}`]).then((text) => text.trim());
    const ready = (field: string) => `{.status.conditions[?(@.type=="Ready")].${field}}`;
    const has = (word: string) => linesOf(router.running).some((line) => line.includes(word));
    const comesTo = (what: string, test: () => Promise<boolean> | boolean) =>
      eventually(what, async () => (await test()) || undefined, LONG_MS);
    const pods = { groups: [{ name: "PODS", of: "pools" }] };

    await apply(edge(pods), object("Router", "silent", { ...ROUTER, url: `https://${CABLE.server}:1` }));
    await accepted("router/edge1", "router/silent");
    await comesTo("it cannot be had without its key", async () => /Secret/.test(await of("edge1", ready("message"))));
    await kubernetes.kubectl(["apply", `--filename=${ROUTER_SECRET}`]);
    await kubernetes.kubectl([
      "create",
      "secret",
      "generic",
      "edge1",
      "--namespace=kube-system",
      `--from-literal=api=${router.key}`,
    ]);
    const { host } = new URL(router.url);
    await comesTo("its key may not go there", async () =>
      (await of("edge1", ready("message"))).includes(`selvedge.dev/router-hosts is missing; it must be "${host}"`),
    );
    expect(router.requests.filter((path) => path !== "/info")).toEqual([]);
    await kubernetes.kubectl([
      "annotate",
      "secret",
      "edge1",
      "--namespace=kube-system",
      `selvedge.dev/router-hosts=${host}`,
    ]);
    await kubernetes.kubectl(["wait", "--for=condition=Ready", "--timeout=120s", "router/edge1"]);
    expect(has("network-group PODS network 10.66.0.0/16")).toBe(true);
    await comesTo("what was pushed is said", async () => (await of("edge1", "{.status.lastPush.result}")) === "done");
    expect(await kubernetes.kubectl(["get", "router", "edge1", "--no-headers"])).toMatch(
      /^edge1 +https:\S+ +True +InSync +\S*1\.4\S* +True /,
    );
    await comesTo("the one that is silent says so", async () =>
      /ECONNREFUSED|refused/.test(await of("silent", ready("message"))),
    );
    expect(await of("silent", ready("status"))).toBe("False");

    await apply(edge({ ...pods, pools: ["lost"] }));
    await comesTo("a change that is wrong is told", async () =>
      /there is no pool "lost"/.test(await of("edge1", '{.status.conditions[?(@.type=="Accepted")].message}')),
    );
    expect([await of("edge1", ready("reason")), has("PODS")]).toEqual(["NotAccepted", true]);
    await apply(edge({ groups: [...pods.groups, { name: "NODES", of: "nodes" }] }));
    await comesTo("another change is made", () => has("network-group NODES") || has("address-group NODES"));

    await comesTo("the silent one is left alone", async () => (await of("silent", ready("reason"))) === "Open");
    expect(await of("silent", ready("message"))).not.toContain("left alone until");
    const events = ["get", "events", "--namespace=default", "--field-selector=involvedObject.name=silent"];
    await comesTo("there is an event", async () => /Warning +Open/.test(await kubernetes.kubectl(events)));
    const version = () => of("silent", "{.metadata.resourceVersion}");
    const before = await version();
    await sleep(STILL_MS);
    expect(await version()).toBe(before);

    const told = [
      await kubernetes.kubectl(["get", "routers", "--output=yaml"]),
      await kubernetes.kubectl(["get", "events", "--all-namespaces", "--output=yaml"]),
    ].join();
    expect(told).not.toContain(router.key);

    await remove("router/edge1", "router/silent");
    await comesTo("nobody writes to it any more", async () => {
      router.operate([{ op: "delete", path: ["firewall", "group", "network-group", "PODS"] }]);
      const asked = router.requests.length;
      await sleep(7_000);
      return router.requests.length === asked;
    });
    expect([has("PODS"), has("NODES")]).toEqual([false, true]);
  },
  4 * LONG_MS,
);

runs("what is said of one that was deleted is not said of the next of its name", async () => {
  const uidOf = async () =>
    (await kubernetes.kubectl(["get", "network/twice", "--output=jsonpath={.metadata.uid}"])).trim();
  await apply(network("twice", {}));
  const earlier = await uidOf();
  await remove("network/twice");
  await apply(network("twice", {}));
  await accepted("network/twice");
  const [{ ca, url }, token] = [kubernetes, await kubernetes.accountToken()];
  using ask = asking(async () => ({ server: new URL(url), ca, token }), "test");
  const says = (uid: string) =>
    say(ask, { kind: "Network", name: "twice", uid, generation: 1 }, [
      {
        type: "Accepted",
        status: "False",
        reason: "Test",
        message: `of ${uid}`,
        observedGeneration: 1,
        lastTransitionTime: "2027-01-15T08:00:00Z",
      },
    ]);
  expect(await says(earlier)).toBe(false);
  expect(await kubernetes.kubectl(["get", "network/twice", "--output=json"])).not.toContain(`of ${earlier}`);
  expect(await says(await uidOf())).toBe(true);
  await remove("network/twice");
  expect(await says(earlier)).toBe(false);
});

runs(
  "without the definition of routers, as before an upgrade, the others count, also for a daemon that starts then",
  async () => {
    await remove("customresourcedefinition/routers.selvedge.dev");
    await apply(network("before", {}));
    await accepted("network/before");
    await live.daemon.stop();
    await live.daemon.start();
    await apply(network("after", {}));
    await accepted("network/after");
    await kubernetes.kubectl(["apply", `--filename=${CONFIGURATION}`]);
    await kubernetes.kubectl(["wait", "--for=condition=Established", "customresourcedefinition/routers.selvedge.dev"]);
    await apply(object("Router", "late", { ...ROUTER, url: `https://${CABLE.server}:1` }));
    // A definition that comes later is looked for once a minute.
    await live.daemon.stop();
    await live.daemon.start();
    await accepted("router/late");
    await remove("router/late", "network/before", "network/after");
  },
  3 * LONG_MS,
);

test("there are cases", () => expect(REFUSED.length).toBeGreaterThan(5));

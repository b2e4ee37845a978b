/** A cluster of two nodes with kubelet gets its network from the manifest, and what users make in it works; in this order. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { DEFINITIONS_KIND, definition } from "../support/kubernetes/definitions.ts";
import { needing } from "../support/requirement.ts";
import { established } from "./applied-store.ts";
import { type Cluster, makeCluster, NEEDS } from "./cluster.ts";
import { DNS } from "./dns.ts";
import { SELVEDGE, VERSION, writeCoredns } from "./images.ts";
import { type Inside, inside, LONG_MS, names } from "./inside.ts";
import { UNINSTALL, whole } from "./manifests.ts";
import { deployment, HOST_PORT, NAMESPACE, POD_PORT, REPLICAS, service, statefulSet } from "./shop.ts";
import { NAMES, NODES } from "./wire.ts";

const runs = needing(...NEEDS);
const stack = new AsyncDisposableStack();
let cluster: Cluster;
let within: Inside;

beforeAll(async () => {
  if (runs === test.skip) return;
  const directory = mkdtempSync(join(tmpdir(), "cluster-"));
  stack.defer(() => rmSync(directory, { recursive: true }));
  const coredns = join(directory, "coredns.tar");
  await writeCoredns(coredns);
  cluster = stack.use(await makeCluster([SELVEDGE, coredns]));
  within = inside(cluster);
}, LONG_MS);
afterAll(() => stack.disposeAsync(), LONG_MS);

const on = (use: (node: Cluster["nodes"]["one"]) => Promise<void>) =>
  Promise.all(Object.values(cluster.nodes).map(use));
const wget = (url: string) => ["busybox", "wget", "-qO-", url];

runs(
  "nodes wait for a network, and the manifest gives them one",
  async () => {
    const become = (what: string, type: string, wanted: string) =>
      eventually(what, async () => (await within.conditions(type)).join() === wanted || undefined, LONG_MS);
    expect(await within.conditions("Ready")).toEqual(["False", "False"]);
    await cluster.kubernetes.kubectl(["apply", "--filename=-"], whole());
    await become("both are ready", "Ready", "True,True");
    await within.rolledOut("daemonset/selvedge");
    await become("both are said to have a network", "NetworkUnavailable", "False,False");
    const { nodes } = (await within.ctl("one", "nodes")) as { nodes: { name: string }[] };
    expect(nodes.map(({ name }) => name).toSorted()).toEqual(NAMES);
  },
  3 * LONG_MS,
);

runs(
  "every pod of a Deployment reaches every other, on its node and on the other",
  async () => {
    await within.kubectl("create", "namespace", NAMESPACE);
    await within.apply(deployment("web", REPLICAS), service("web"));
    const pods = await within.serving("web", REPLICAS);
    expect(new Set(pods.map(({ spec }) => spec.nodeName)).size).toBe(NAMES.length);
    for (const from of pods) expect(await within.reached(from, pods)).toEqual(names(pods));
  },
  2 * LONG_MS,
);

/** What a container of the image tries without rights, as its root, and what it is told. */
const CLOSED: readonly (readonly [what: string, script: string, said: string | RegExp])[] = [
  ["the daemon", "selvedgectl status", "selvedged does not answer at /run/selvedge/selvedged.sock: ENOENT"],
  [
    "a network by the plugin",
    `echo '{"cniVersion":"1.0.0","name":"selvedge","type":"selvedge"}' |
      CNI_COMMAND=ADD CNI_CONTAINERID=c CNI_IFNAME=n1 CNI_NETNS=/proc/self/ns/net CNI_NETNS_OVERRIDE=1 \
      CNI_PATH=/opt/selvedge selvedge`,
    /"code": ?11,/,
  ],
  ["what the daemon keeps", "cat /var/lib/selvedge/state.db", "No such file or directory"],
  ["links", "ip link add one type dummy", "Operation not permitted"],
  ["a firewall", "nft add table inet one", "Operation not permitted"],
  ["sysctls", "echo 1 >/proc/sys/net/ipv4/ip_forward", "Read-only file system"],
];
runs(
  "a pod of the image without rights can do nothing with it",
  async () => {
    const container = { image: `selvedge:${VERSION}`, command: ["sleep", "infinity"], readinessProbe: undefined };
    await within.apply(deployment("guest", 1, { container }));
    const [guest] = await within.serving("guest", 1);
    if (guest === undefined) throw new Error("it does not run");
    for (const [what, script, said] of CLOSED)
      await expect(within.inPod(guest, `{ ${script}; } >&2`).then(() => `${what} is open`)).rejects.toThrow(said);
    await within.kubectl("delete", "deployment", "guest", `--namespace=${NAMESPACE}`);
  },
  2 * LONG_MS,
);

runs("what the daemon has on a node is closed to all but root", async () => {
  const files = (node: Cluster["nodes"]["one"], ...argv: readonly string[]) =>
    // Directories that are closed are told of on the way.
    node.on("sh", "-c", '"$@" 2>/dev/null || :', "sh", ...argv);
  const other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const kept = ["find", "/run/selvedge", "/var/lib/selvedge"];
  const put = ["find", "/opt/cni/bin", "/etc/cni/net.d", "/etc/systemd/network", "/etc/systemd/networkd.conf.d"];
  const isOpen = ["!", "-type", "l", "-writable"];
  await on(async (node) => {
    const all = await files(node, ...kept);
    for (const file of ["/run/selvedge/selvedged.sock", "/var/lib/selvedge/state.db"]) expect(all).toContain(file);
    expect(await files(node, ...other, ...kept, "!", "-type", "d", "-readable")).toBe("");
    expect(await files(node, ...other, ...kept, ...isOpen)).toBe("");
    expect(await files(node, ...other, ...put)).toContain("/opt/cni/bin/selvedge\n");
    expect(await files(node, ...other, ...put, ...isOpen)).toBe("");
    expect(await files(node, ...put, "-name", "*selvedge*", "-perm", "/6000")).toBe("");
  });
});

runs(
  "a Service is reached by its address, from pods and from nodes",
  async () => {
    const pods = await within.podsOf("web");
    const address = await addressOf("web");
    for (const pod of pods)
      await eventually("it answers", async () => names(pods).includes(await within.get(pod, address)) || undefined);
    await on(async (node) => expect(names(pods)).toContain((await node.on(...wget(`http://${address}/`))).trim()));
  },
  LONG_MS,
);

const addressOf = (name: string) =>
  within.kubectl("get", "service", name, `--namespace=${NAMESPACE}`, "--output=jsonpath={.spec.clusterIP}");

runs(
  "a host port is reached from the other node and from its own",
  async () => {
    const ports = [{ containerPort: POD_PORT, hostPort: HOST_PORT }];
    await within.apply(deployment("door", 1, { container: { ports } }));
    const [door] = await within.serving("door", 1);
    const at = NODES[door?.spec.nodeName as keyof typeof NODES];
    await on(async (node) =>
      expect(await node.on(...wget(`http://${at}:${HOST_PORT}/`))).toBe(`${door?.metadata.name}\n`),
    );
  },
  2 * LONG_MS,
);

runs(
  "the rates of a pod's annotations are its interface's",
  async () => {
    const annotations = { "kubernetes.io/ingress-bandwidth": "8M", "kubernetes.io/egress-bandwidth": "4M" };
    await within.apply(deployment("slow", 1, { annotations }));
    const [slow] = await within.serving("slow", 1);
    const { interfaces } = (await within.ctl(slow?.spec.nodeName ?? "", "qos")) as { interfaces: { pod: string }[] };
    expect(interfaces.filter(({ pod }) => pod === `shop/${slow?.metadata.name}`)).toMatchObject([
      { ingress: { limitBits: 8_000_000 }, egress: { limitBits: 4_000_000 } },
    ]);
  },
  2 * LONG_MS,
);

runs(
  "pods of a StatefulSet come back with their addresses",
  async () => {
    await within.apply(service("db", { clusterIP: "None" }), statefulSet("db", 2));
    const before = await within.addressesOf("db", 2);
    await within.kubectl("delete", "pods", `--namespace=${NAMESPACE}`, "--selector=app=db");
    expect(await within.addressesOf("db", 2)).toEqual(before);
  },
  2 * LONG_MS,
);

const STATUS = "{.metadata.annotations.k8s\\.v1\\.cni\\.cncf\\.io/network-status}";

runs(
  "pods are on a network that they ask for by annotation, and their status says so",
  async () => {
    await established(cluster.kubernetes, DEFINITIONS_KIND);
    const blue = { type: "selvedge", ipam: { type: "selvedge", ranges: [[{ subnet: "10.88.0.0/24" }]] } };
    const annotations = { "k8s.v1.cni.cncf.io/networks": "blue@b0" };
    await within.apply(definition("blue", blue, NAMESPACE), deployment("planes", 2, { annotations }));
    for (const { metadata, ...pod } of await within.serving("planes", 2)) {
      const asked = ["get", "pod", metadata.name, `--namespace=${NAMESPACE}`, `--output=jsonpath=${STATUS}`];
      const said = await eventually("its status", async () => (await within.kubectl(...asked)) || undefined, LONG_MS);
      const status = JSON.parse(said) as { interface: string; ips: string[] }[];
      expect(status).toMatchObject([
        { name: "selvedge", interface: "eth0", ips: [pod.status.podIP], default: true },
        { name: "shop/blue", interface: "b0", ips: [expect.stringMatching(/^10\.88\.0\./)], default: false },
      ]);
      expect(await within.inPod({ metadata, ...pod }, "ip address show b0")).toContain(` ${status[1]?.ips[0]}/`);
    }
  },
  2 * LONG_MS,
);

runs(
  "pods know Services and pods by their names",
  async () => {
    await within.apply(...DNS);
    await within.rolledOut("deployment/coredns");
    const [db] = await within.podsOf("db");
    for (const pod of await within.podsOf("web"))
      for (const [name, address] of [
        ["web.shop.svc.cluster.local", await addressOf("web")],
        [`${db?.metadata.name}.db.shop.svc.cluster.local`, db?.status.podIP],
      ])
        await eventually(
          `${name} is ${address}`,
          async () => (await within.inPod(pod, `nslookup ${name} || :`)).includes(`Address: ${address}`) || undefined,
        );
  },
  3 * LONG_MS,
);

runs(
  "a policy keeps out whom it does not let in, on both nodes",
  async () => {
    const [pods, [door]] = await Promise.all([within.podsOf("web"), within.podsOf("door")]);
    const [web] = pods;
    if (door === undefined || web === undefined) throw new Error("they do not run");
    await within.apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { namespace: NAMESPACE, name: "web" },
      spec: {
        podSelector: { matchLabels: { app: "web" } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }] }],
      },
    });
    await eventually("others are kept out", async () => (await within.isKeptOut(door, pods)) || undefined);
    expect(await within.reached(web, pods)).toEqual(names(pods));
    // A new one gets ready: the probes of its node are let in.
    await within.kubectl("delete", "pod", web.metadata.name, `--namespace=${NAMESPACE}`);
    const others = await within.serving("web", REPLICAS);
    expect(names(others)).not.toContain(web.metadata.name);
    expect(await within.isKeptOut(door, others)).toBe(true);
    await within.kubectl("delete", "networkpolicy", "web", `--namespace=${NAMESPACE}`);
    await eventually(
      "everybody is let in",
      async () => (await within.reached(door, others)).join() === names(others).join() || undefined,
      120_000,
    );
  },
  2 * LONG_MS,
);

runs(
  "when all of it is deleted, nothing of it is left on the nodes",
  async () => {
    await within.inSystem("delete", "deployment/coredns", "--wait=false");
    await within.kubectl("delete", "namespace", NAMESPACE, "--wait=false");
    await eventually(
      "it is gone",
      async () => (await within.kubectl("get", "namespace", NAMESPACE, "--ignore-not-found")) === "" || undefined,
      LONG_MS,
    );
    for (const node of Object.values(cluster.nodes)) {
      await eventually(
        `${node.name} has no attachment`,
        async () => {
          const { attachments } = (await within.ctl(node.name, "attachments")) as { attachments: unknown[] };
          return attachments.length === 0 || undefined;
        },
        LONG_MS,
      );
      expect(await within.ctl(node.name, "plan")).toMatchObject({ lines: [] });
      expect(await node.on("ls", "/run/netns")).toBe("");
      // Its uplink.
      expect(JSON.parse(await node.on("ip", "-json", "link", "show", "type", "veth"))).toHaveLength(1);
    }
  },
  3 * LONG_MS,
);

runs(
  "uninstalling leaves nothing of Selvedge",
  async () => {
    const dropIns = (node: Cluster["nodes"]["one"]) => node.on("find", "/etc/systemd", "-name", "*selvedge*");
    await on(async (node) => expect(await dropIns(node)).toContain("/etc/systemd/network/10-selvedge.link"));
    await within.kubectl("apply", `--filename=${UNINSTALL}`);
    await within.rolledOut("daemonset/selvedge");
    await on(async (node) => {
      expect(await node.on("nft", "list", "tables")).not.toContain("selvedge");
      expect(await node.on("ip", "-details", "link", "show")).not.toContain("selvedge");
      expect(await node.on("sh", "-c", "ls -A /etc/cni/net.d /opt/cni/bin /var/lib /run")).not.toContain("selvedge");
      expect(await dropIns(node)).toBe("");
      expect(await node.on("ip", "rule", "show")).not.toContain("proto 83");
      expect(await node.on("ip", "route", "show", "table", "all")).not.toContain("proto 83");
    });
    await cluster.kubernetes.kubectl(["delete", "--filename=-", "--wait=false"], whole());
    await eventually(
      "nothing of it runs",
      async () => (await within.inSystem("get", "pods", "--output=name")) === "" || undefined,
      LONG_MS,
    );
  },
  2 * LONG_MS,
);

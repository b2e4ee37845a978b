/**
 * What the manifests' roles give is what the daemon takes: all of it, and nothing else that an API server knows. In one file,
 * because one right is tried against the same server, with the same accounts, in each of these ways.
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { nodeObject } from "#lib/k8s/api/node-object.ts";
import { CONFIGURED } from "#lib/k8s/api/resource.ts";
import type { ObjectSource } from "#lib/k8s/objects.ts";
import { eventually } from "../../conformance/program.ts";
import { DEFINITIONS_KIND } from "../support/kubernetes/definitions.ts";
import { hurriedSource } from "../support/kubernetes/source.ts";
import { applyStore, established, served } from "./applied-store.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";
import { pathOf, type Right, type Role, rightInWords, rightsOf, rolesIn, without } from "./grants.ts";
import { heard } from "./heard.ts";
import { CONFIGURATION, ROUTER_SECRET, SELVEDGE, STORE } from "./manifests.ts";
import { runs } from "./runs.ts";
import { everything, tried } from "./tried.ts";

const FOLLOWING = rolesIn(SELVEDGE, CONFIGURATION);
const ROWS = FOLLOWING.flatMap((role) =>
  rightsOf(role).map((right): [string, Role, Right] => [rightInWords(right), role, right]),
);
const GIVEN = rolesIn(SELVEDGE, CONFIGURATION, STORE, ROUTER_SECRET).flatMap(rightsOf);

let kubernetes: ControlPlane;
let token = "";
/** Of the account of a pod that nobody has given any rights. */
let podToken = "";
beforeAll(async () => {
  if (runs === test.skip) return;
  kubernetes = await controlPlane();
  // Known to the server, so that rights to it mean something.
  await established(kubernetes, CLUSTER_NETWORK_POLICIES, DEFINITIONS_KIND);
  await applyStore(kubernetes);
  for (const file of [SELVEDGE, CONFIGURATION, ROUTER_SECRET])
    await kubernetes.kubectl(["apply", `--filename=${file}`]);
  await served(kubernetes, ...CONFIGURED.map(({ plural }) => plural));
  await kubernetes.kubectl(["create", "namespace", "shop"]);
  await kubernetes.ask("POST", PODS, POD);
  await kubernetes.kubectl(["create", "serviceaccount", "web", "--namespace=shop"]);
  await kubernetes.ask("POST", "/api/v1/nodes", NODE);
  await kubernetes.ask("POST", TENANTS, TENANT);
  for (const namespace of ["kube-system", "shop"])
    for (const name of ["edge1", "other"])
      await kubernetes.ask("POST", `/api/v1/namespaces/${namespace}/secrets`, secret(name));
  token = await kubernetes.accountToken();
  podToken = (await kubernetes.kubectl(["create", "token", "web", "--namespace=shop"])).trim();
  for (const right of GIVEN) await heard(kubernetes, token, right, true);
}, 300_000);
afterAll(async () => kubernetes?.[Symbol.asyncDispose](), 60_000);

const PODS = "/api/v1/namespaces/shop/pods";
const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "shop", name: "web", labels: { app: "web" } },
  spec: { containers: [{ name: "web", image: "web" }] },
};
const NODE = { apiVersion: "v1", kind: "Node", metadata: { name: "one" } };
const TENANTS = "/apis/selvedge.dev/v1alpha1/tenants";
const TENANT = { apiVersion: "selvedge.dev/v1alpha1", kind: "Tenant", metadata: { name: "shop" }, spec: {} };
const VALUE = "of-a-secret";
const secret = (name: string) => ({ apiVersion: "v1", kind: "Secret", metadata: { name }, stringData: { api: VALUE } });
const CLUSTER_NETWORK_POLICIES = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: {
    name: "clusternetworkpolicies.policy.networking.k8s.io",
    annotations: { "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/network-policy-api/pull/300" },
  },
  spec: {
    group: "policy.networking.k8s.io",
    scope: "Cluster",
    names: { kind: "ClusterNetworkPolicy", plural: "clusternetworkpolicies" },
    versions: [
      {
        name: "v1alpha2",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

const access = async () => ({ server: new URL(kubernetes.url), ca: kubernetes.ca, token });

/** Follows as the service account, and tells what of it is refused. */
function following() {
  const stopping = new AbortController();
  const failures = new Map<string, string>();
  const objects = new Set<string>();
  let isTold = false;
  const source = hurriedSource(
    access,
    // Watches are asked for again and again, so that rights that went are missed.
    { watchMs: 1_000 },
    true,
    true,
  );
  const begun = source.follow(
    {
      put: (name) => void objects.add(name),
      remove(name) {
        objects.delete(name);
        failures.delete(name);
      },
      told() {
        isTold = true;
      },
      failed: (name, message) => void failures.set(name, message),
    },
    stopping.signal,
  );
  return {
    source,
    failures,
    objects,
    isTold: () => isTold,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await (await begun).done;
    },
  };
}

runs(
  "with these rights everything is told, and one pod can be asked for",
  async () => {
    await using all = following();
    await eventually("it is told", async () => all.isTold() || undefined);
    await kubernetes.kubectl(["delete", "pod", "web", "--namespace=shop", "--grace-period=0", "--force"]);
    await eventually("it went", async () => !all.objects.has("pods/shop/web") || undefined);
    await kubernetes.ask("POST", PODS, POD);
    await all.source.knowPod?.({ namespace: "shop", name: "web", uid: "another" });
    expect(all.objects.has("pods/shop/web")).toBe(true);
    // For a moment a server does not let anybody watch what has just been defined (429).
    await eventually("nothing is refused", async () => {
      expect([...all.failures]).toEqual([]);
      return true;
    });
  },
  180_000,
);

/** Where the account has rights, and where it has none. */
const NAMESPACES = ["default", "kube-system", "selvedge", "shop"];
/** What everybody may who is somebody (ClusterRole system:basic-user). */
const OF_EVERYBODY = [
  "create selfsubjectreviews.authentication.k8s.io",
  "create selfsubjectaccessreviews.authorization.k8s.io",
  "create selfsubjectrulesreviews.authorization.k8s.io",
];
/** Ways to more than it is given, which are among what is tried. */
const WAYS: readonly (readonly [why: string, ...rights: string[]])[] = [
  [
    "others' secrets",
    "get secrets in shop",
    "get secrets in kube-system",
    "list secrets",
    "watch secrets in kube-system",
  ],
  [
    "pods of its own",
    "create pods in shop",
    "update pods in shop",
    "patch pods in kube-system",
    "create pods/binding in shop",
  ],
  [
    "what pods run",
    "patch pods/ephemeralcontainers in shop",
    "update pods/status in shop",
    "patch daemonsets.apps in kube-system",
  ],
  [
    "into pods",
    "create pods/exec in shop",
    "get pods/exec in kube-system",
    "create pods/attach in shop",
    "get pods/log in shop",
  ],
  ["through kubelet", "get nodes/proxy", "create nodes/proxy", "get pods/proxy in shop"],
  ["nodes", "delete nodes", "patch nodes", "create nodes", "update nodes/status"],
  ["others' tokens", "create serviceaccounts/token in kube-system", "create serviceaccounts in kube-system"],
  [
    "other certificates",
    "create certificatesigningrequests.certificates.k8s.io",
    "update certificatesigningrequests.certificates.k8s.io/approval",
  ],
  [
    "other rights",
    "patch clusterroles.rbac.authorization.k8s.io",
    "create clusterrolebindings.rbac.authorization.k8s.io",
  ],
  [
    "other rights in a namespace",
    "update roles.rbac.authorization.k8s.io in selvedge",
    "create rolebindings.rbac.authorization.k8s.io in kube-system",
  ],
  [
    "who judges",
    "create validatingwebhookconfigurations.admissionregistration.k8s.io",
    "create apiservices.apiregistration.k8s.io",
  ],
  [
    "other kinds",
    "create customresourcedefinitions.apiextensions.k8s.io",
    "patch customresourcedefinitions.apiextensions.k8s.io/status",
  ],
  [
    "what it heeds",
    "update networkpolicies.networking.k8s.io in shop",
    "create network-attachment-definitions.k8s.cni.cncf.io in shop",
  ],
  [
    "its configuration",
    "patch configmaps in kube-system",
    "create networks.selvedge.dev",
    "patch tenants.selvedge.dev",
    "delete addresspools.selvedge.dev",
    "patch routers.selvedge.dev",
    "update networks.selvedge.dev/status",
  ],
  ["all that nodes share at once", "deletecollection addressblocks.selvedge.dev"],
  ["others' leases", "get leases.coordination.k8s.io in kube-system", "update leases.coordination.k8s.io in default"],
  [
    "others' events",
    "create events in default",
    "delete events.events.k8s.io in default",
    "create events.events.k8s.io in shop",
  ],
];

runs(
  "of all that the server knows the account may what the manifests give, and a pod's account nothing",
  async () => {
    const all = await everything(kubernetes, NAMESPACES);
    expect(new Set(all.map(rightInWords)).size).toBe(all.length);
    const given = all.filter(({ verb, group, resource, namespace }) =>
      GIVEN.some(
        (right) =>
          right.verb === verb &&
          right.group === group &&
          right.resource === resource &&
          right.name === undefined &&
          (right.namespace === undefined || right.namespace === namespace),
      ),
    );
    const daemon = await tried(kubernetes, token, all);
    expect(daemon.taken.toSorted()).toEqual([...given.map(rightInWords), ...OF_EVERYBODY].toSorted());
    expect(daemon.refused).toEqual(expect.arrayContaining(WAYS.flatMap(([, ...rights]) => rights)));
    const ofPod = all.filter(({ namespace = "shop" }) => namespace === "shop");
    const pod = await tried(kubernetes, podToken, ofPod);
    expect(pod.taken.toSorted()).toEqual(OF_EVERYBODY.toSorted());
    expect(pod.refused.length + pod.taken.length).toBe(ofPod.length);
    expect(daemon.refused.length + daemon.taken.length).toBe(all.length);
    expect(daemon.refused.length).toBeGreaterThan(1_000);
    expect(pod.refused.length).toBeGreaterThan(500);
  },
  240_000,
);

const SECRETS = "/api/v1/namespaces/kube-system/secrets";
const EVEN_SO: readonly (readonly [
  what: string,
  method: string,
  path: string,
  said: string,
  headers?: Record<string, string>,
])[] = [
  ["another", "GET", `${SECRETS}/other`, "cannot get"],
  ["one of its name in another namespace", "GET", "/api/v1/namespaces/shop/secrets/edge1", "cannot get"],
  ["it by a list", "GET", `${SECRETS}?fieldSelector=metadata.name%3Dedge1`, "cannot list"],
  ["it by a watch", "GET", `${SECRETS}?watch=1&fieldSelector=metadata.name%3Dedge1`, "cannot watch"],
  ["changing it", "PATCH", `${SECRETS}/edge1`, "cannot patch"],
  ["deleting it", "DELETE", `${SECRETS}/edge1`, "cannot delete"],
  ["being somebody else", "GET", PODS, "cannot impersonate", { "impersonate-user": "admin" }],
  [
    "being of another group",
    "GET",
    PODS,
    "cannot impersonate",
    { "impersonate-user": "system:serviceaccount:kube-system:selvedge", "impersonate-group": "system:masters" },
  ],
  ["the server's metrics", "GET", "/metrics", "cannot get path"],
  ["the server's logs", "GET", "/logs/", "cannot get path"],
  ["the server's insides", "GET", "/debug/pprof/heap", "cannot get path"],
];
runs.each(EVEN_SO)(
  "beside the Secret that is given by its name, %s is refused",
  async (_what, method, path, said, headers = {}) => {
    expect((await kubernetes.answer(token, "GET", `${SECRETS}/edge1`)).status).toBe(200);
    const { status, text } = await kubernetes.answer(token, method, path, { headers });
    expect([status, text]).toEqual([403, expect.stringContaining(said)]);
    expect(text).not.toContain(Buffer.from(VALUE).toString("base64"));
  },
);

/** By the part that it may write, what is wanted. */
const WANTED: readonly (readonly [path: string, spec: object])[] = [
  [`${PODS}/web`, { containers: [{ name: "web", image: "another" }], hostNetwork: true }],
  ["/api/v1/nodes/one", { unschedulable: true, taints: [{ key: "selvedge.dev/a", effect: "NoExecute" }] }],
  [`${TENANTS}/shop`, { egress: false }],
];
runs.each(WANTED)("who may write the status of %s does not change what it is to be", async (path, spec) => {
  const is = async () => {
    const { status, text } = await kubernetes.answer(kubernetes.admin, "GET", path);
    return [status, (JSON.parse(text) as { spec: object }).spec];
  };
  const before = await is();
  const { status } = await kubernetes.answer(token, "PATCH", `${path}/status`, { object: { spec } });
  expect(status).toBe(200);
  expect(await is()).toEqual(before);
  expect((await kubernetes.answer(token, "PATCH", path, { object: { spec } })).status).toBe(403);
});

const ofNode = (name: string) => nodeObject({ access, userAgent: "selvedged/test", name });
const ALWAYS = new AbortController().signal;
const SERVES = { isAvailable: true, message: "it serves", sinceMs: 1_800_000_000_000, nowMs: 1_800_000_060_000 };
const WRONG = { action: "Accept", reason: "Test", message: "wrong", by: "one", atMs: 1_800_000_000_000 } as const;

/** What is not followed is asked for, or written, one by one. */
const ASKED: Readonly<Record<string, (source: ObjectSource) => Promise<unknown> | undefined>> = {
  "get pods": ({ knowPod }) => knowPod?.({ namespace: "shop", name: "web", uid: "another" }),
  "get network-attachment-definitions": ({ knowDefinition }) => knowDefinition?.({ namespace: "shop", name: "blue" }),
  "patch pods/status": ({ annotate }) => annotate?.({ namespace: "shop", name: "web" }, { a: "b" }),
  "patch nodes/status": () => ofNode("one").sayNetwork(SERVES, ALWAYS),
  "create events": ({ warn }) => warn?.({ kind: "Tenant", name: "shop", uid: "another", ...WRONG }),
  ...Object.fromEntries(
    CONFIGURED.map(({ kind, plural }) => [
      `patch ${plural.split(".")[0]}/status`,
      ({ say }: ObjectSource) => say?.({ kind, name: "shop", uid: "another", generation: 1 }, []),
    ]),
  ),
};

runs.each(ROWS)(
  "without the right to %s the error names it",
  async (_words, role, right) => {
    const { verb, group, resource } = right;
    const [plural] = resource.split("/");
    const whole = group === "" ? `${plural}` : `${plural}.${group}`;
    const named = new RegExp(`may not ${verb}.*: 403 ${whole} .*cannot ${verb} resource "${resource}"`);
    await kubernetes.ask("PUT", pathOf(role), without(role, right));
    try {
      await heard(kubernetes, token, right, false);
      await using all = following();
      const said = async (): Promise<string> => {
        const asked = ASKED[`${verb} ${resource}`]?.(all.source);
        if (asked === undefined) return all.failures.get(whole) ?? "";
        return asked.then(
          () => "",
          (error: Error) => error.message,
        );
      };
      await eventually("it is refused", async () => named.test(await said()) || undefined);
    } finally {
      await kubernetes.ask("PUT", pathOf(role), role);
      await heard(kubernetes, token, right, true);
    }
  },
  180_000,
);

runs("a node's condition is said beside those that are there, and of nodes that there are", async () => {
  const memory = { type: "MemoryPressure", status: "False" };
  await kubernetes.ask("PUT", "/api/v1/nodes/one/status", { ...NODE, status: { conditions: [memory] } });
  await ofNode("one").sayNetwork(SERVES, ALWAYS);
  await ofNode("one").sayNetwork({ ...SERVES, isAvailable: false, message: "it waits" }, ALWAYS);
  const found = JSON.parse(await kubernetes.kubectl(["get", "node", "one", "--output=json"])) as {
    status: { conditions: { type: string; status: string }[] };
  };
  expect(found.status.conditions.toSorted((a, b) => a.type.localeCompare(b.type))).toEqual([
    expect.objectContaining(memory),
    {
      type: "NetworkUnavailable",
      status: "True",
      reason: "SelvedgeWaits",
      message: "it waits",
      lastHeartbeatTime: "2027-01-15T08:01:00Z",
      lastTransitionTime: "2027-01-15T08:00:00Z",
    },
  ]);
  await expect(ofNode("none").sayNetwork(SERVES, ALWAYS)).rejects.toThrow('Kubernetes knows no node "none"');
});

runs.each(["--filename=install/kubernetes/uninstall.yaml", "--kustomize=install/kubernetes"])(
  "the server takes %s",
  async (manifests) => {
    expect(await kubernetes.kubectl(["apply", "--dry-run=server", manifests])).toContain("daemonset.apps/selvedge");
  },
);

runs("mounts that outlive the daemon's container are given to privileged ones alone", async () => {
  const object = JSON.parse(
    await kubernetes.kubectl(["get", "daemonset", "selvedge", "--namespace=kube-system", "--output=json"]),
  ) as { spec: { template: { spec: { containers: { volumeMounts: { mountPropagation?: string }[] }[] } } } };
  for (const { volumeMounts } of object.spec.template.spec.containers)
    for (const mount of volumeMounts) mount.mountPropagation &&= "Bidirectional";
  await expect(kubernetes.kubectl(["replace", "--dry-run=server", "--filename=-"], object)).rejects.toThrow(
    "Bidirectional mount propagation is available only to privileged containers",
  );
});

test("the manifests give rights", () => expect(ROWS.length).toBeGreaterThan(20));

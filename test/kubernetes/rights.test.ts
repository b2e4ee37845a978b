/** What the manifest's ClusterRole gives is what following takes: all of it, and nothing else. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { parseAllDocuments } from "yaml";
import { nodeObject } from "#lib/k8s/api/node-object.ts";
import { DEFINITIONS, RESOURCES } from "#lib/k8s/api/resource.ts";
import type { ObjectSource } from "#lib/k8s/objects.ts";
import { eventually } from "../../conformance/program.ts";
import { DEFINITIONS_KIND } from "../support/kubernetes/definitions.ts";
import { hurriedSource } from "../support/kubernetes/source.ts";
import { applyStore } from "./applied-store.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";
import { SELVEDGE } from "./manifests.ts";
import { runs } from "./runs.ts";

interface Role {
  readonly kind: string;
  readonly rules: readonly { readonly apiGroups: string[]; readonly resources: string[]; readonly verbs: string[] }[];
}
const documents = parseAllDocuments(readFileSync(SELVEDGE, "utf8")).map((each): unknown => each.toJS());
const role = documents.find((each): each is Role => (each as Role).kind === "ClusterRole");
const ROWS = (role?.rules ?? []).flatMap(({ resources, verbs }) =>
  resources.flatMap((resource) => verbs.map((verb): [verb: string, resource: string] => [verb, resource])),
);

let kubernetes: ControlPlane;
let token = "";
beforeAll(async () => {
  if (runs === test.skip) return;
  kubernetes = await controlPlane();
  // Known to the server, so that rights to it mean something.
  for (const kind of [CLUSTER_NETWORK_POLICIES, DEFINITIONS_KIND])
    await kubernetes.kubectl(["apply", "--filename=-"], kind);
  await applyStore(kubernetes);
  await kubernetes.kubectl(["apply", `--filename=${SELVEDGE}`]);
  await kubernetes.kubectl(["create", "namespace", "shop"]);
  await kubernetes.ask("POST", "/api/v1/namespaces/shop/pods", POD);
  token = await kubernetes.accountToken();
}, 180_000);
afterAll(async () => kubernetes?.[Symbol.asyncDispose](), 60_000);

const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "shop", name: "web", labels: { app: "web" } },
  spec: { containers: [{ name: "web", image: "web" }] },
};
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
    await using heard = following();
    await eventually("it is told", async () => heard.isTold() || undefined);
    await kubernetes.kubectl(["delete", "pod", "web", "--namespace=shop", "--grace-period=0", "--force"]);
    await eventually("it went", async () => !heard.objects.has("pods/shop/web") || undefined);
    await kubernetes.ask("POST", "/api/v1/namespaces/shop/pods", POD);
    await heard.source.knowPod?.({ namespace: "shop", name: "web", uid: "another" });
    expect(heard.objects.has("pods/shop/web")).toBe(true);
    // For a moment a server does not let anybody watch what has just been defined (429).
    await eventually("nothing is refused", async () => {
      expect([...heard.failures]).toEqual([]);
      return true;
    });
  },
  120_000,
);

const ofNode = (name: string) => nodeObject({ access, userAgent: "selvedged/test", name });
const ALWAYS = new AbortController().signal;
const SERVES = { isAvailable: true, message: "it serves", sinceMs: 1_800_000_000_000, nowMs: 1_800_000_060_000 };

/** What is not followed is asked for, or written, one by one. */
const ASKED: Readonly<Record<string, (source: ObjectSource) => Promise<unknown> | undefined>> = {
  "get pods": ({ knowPod }) => knowPod?.({ namespace: "shop", name: "web", uid: "another" }),
  "get network-attachment-definitions": ({ knowDefinition }) => knowDefinition?.({ namespace: "shop", name: "blue" }),
  "patch pods/status": ({ annotate }) => annotate?.({ namespace: "shop", name: "web" }, { a: "b" }),
  "patch nodes/status": () => ofNode("one").sayNetwork(SERVES, ALWAYS),
};

runs.each(ROWS)(
  "without the right to %s %s the error names both",
  async (verb, resource) => {
    const rules = role?.rules.flatMap((rule) => {
      const verbs = rule.verbs.filter((each) => !rule.resources.includes(resource) || each !== verb);
      return verbs.length === 0 ? [] : [{ ...rule, verbs }];
    });
    await kubernetes.kubectl(["apply", "--filename=-"], { ...role, rules });
    const [followed = ""] = resource.split("/");
    const group =
      [...RESOURCES, DEFINITIONS].find(({ plural }) => plural.split(".")[0] === followed)?.plural ?? followed;
    const named = new RegExp(`may not ${verb}.*: 403 ${group} .*cannot ${verb} resource "${resource}"`);
    try {
      await using heard = following();
      const said = async (): Promise<string> => {
        const asked = ASKED[`${verb} ${resource}`]?.(heard.source);
        if (asked === undefined) return heard.failures.get(group) ?? "";
        return asked.then(
          () => "",
          (error: Error) => error.message,
        );
      };
      await eventually("it is refused", async () => named.test(await said()) || undefined);
    } finally {
      await kubernetes.kubectl(["apply", "--filename=-"], { ...role });
    }
  },
  120_000,
);

runs("a node's condition is said beside those that are there, and of nodes that there are", async () => {
  const node = { apiVersion: "v1", kind: "Node", metadata: { name: "one" } };
  const memory = { type: "MemoryPressure", status: "False" };
  await kubernetes.ask("POST", "/api/v1/nodes", node);
  await kubernetes.ask("PUT", "/api/v1/nodes/one/status", { ...node, status: { conditions: [memory] } });
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

const NOT_OURS: readonly (readonly [verb: string, resource: string])[] = [
  ["get", "secrets"],
  ["list", "configmaps"],
  ["create", "pods"],
  ["delete", "pods"],
  ["patch", "pods"],
  ["update", "pods/status"],
  ["create", "network-attachment-definitions.k8s.cni.cncf.io"],
  ["patch", "nodes"],
  ["get", "nodes"],
  ["update", "networkpolicies.networking.k8s.io"],
  ["create", "clusterrolebindings.rbac.authorization.k8s.io"],
  ["create", "serviceaccounts/token"],
];
runs.each(NOT_OURS)("it may not %s %s", async (verb, resource) => {
  const account = "--as=system:serviceaccount:kube-system:selvedge";
  await expect(kubernetes.kubectl(["auth", "can-i", verb, resource, "--all-namespaces", account])).rejects.toThrow(
    "no",
  );
});

test("the manifest gives rights", () => expect(ROWS.length).toBeGreaterThan(5));

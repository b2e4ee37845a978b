/** Objects of Kubernetes as manifests have them: those that policies are made of; every other kind is passed over. */
import { address } from "#lib/address.ts";
import { absent, type Found, fields, flag, integer, list, optional, root, text } from "#lib/parse.ts";
import { readClusterNetworkPolicy } from "./cluster-network-policy.ts";
import { labels } from "./labels.ts";
import { readNetworkPolicy } from "./network-policy.ts";
import type { NamedPort, Namespace, Pod, Policy } from "./objects.ts";
import { PORT, portName, protocol } from "./port.ts";
import { objectName } from "./selector.ts";

export type PolicyObject =
  | { readonly kind: "Policy"; readonly value: Policy }
  | { readonly kind: "Namespace"; readonly value: Namespace }
  | { readonly kind: "Pod"; readonly value: Pod };

const READERS: Readonly<Record<string, (object: Found) => PolicyObject | undefined>> = {
  "networking.k8s.io/v1 NetworkPolicy": (object) => ({ kind: "Policy", value: readNetworkPolicy(object) }),
  "policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy": (object) => ({
    kind: "Policy",
    value: readClusterNetworkPolicy(object),
  }),
  "v1 Namespace": (object) => ({ kind: "Namespace", value: readNamespace(object) }),
  "v1 Pod": (object) => optional(root(readPod(object)), ({ value }) => ({ kind: "Pod", value: value as Pod })),
};

/**
 * One document; of a list (`kind: List`, `NetworkPolicyList`) its items. `where` begins every error.
 * @throws SelvedgeError config-invalid
 */
export function readManifest(value: unknown, where = ""): PolicyObject[] {
  const object = root(value, where);
  if (absent(object)) return [];
  const at = fields(object);
  const kind = text(at("kind"));
  if (kind.endsWith("List"))
    return list(at("items")).flatMap((item) =>
      readManifest(withKind(item.value, { apiVersion: at("apiVersion").value, kind: kind.slice(0, -4) }), item.path),
    );
  const read = READERS[`${text(at("apiVersion"))} ${kind}`]?.(object);
  return read === undefined ? [] : [read];
}

/** Items of a list of one kind need not say of which. */
const withKind = (item: unknown, of: { apiVersion: unknown; kind: string }): unknown =>
  typeof item === "object" && item !== null && !("kind" in item) && of.kind !== "" ? { ...of, ...item } : item;

function readNamespace(object: Found): Namespace {
  const metadata = fields(fields(object)("metadata"));
  return namespaceOf(objectName(metadata("name")), labels(metadata("labels")));
}

/** The API server labels every namespace with its own name. */
export const namespaceOf = (name: string, own: Readonly<Record<string, string>> = {}): Namespace => ({
  name,
  labels: { ...own, "kubernetes.io/metadata.name": name },
});

/** Undefined for what is on the node's own network: such a pod is the node, for policies. */
function readPod(object: Found): Pod | undefined {
  const at = fields(object);
  const [metadata, spec, status] = [fields(at("metadata")), fields(at("spec")), fields(at("status"))];
  if (flag(spec("hostNetwork"), { or: false })) return undefined;
  // Its addresses may be another pod's already.
  const isOver = ["Succeeded", "Failed"].includes(text(status("phase"), { or: "" }));
  const ips = [...list(status("podIPs")).map((each) => fields(each)("ip")), status("podIP")].filter(
    (ip) => !absent(ip),
  );
  return {
    namespace: absent(metadata("namespace")) ? "default" : objectName(metadata("namespace")),
    name: objectName(metadata("name")),
    labels: labels(metadata("labels")),
    ports: [...list(spec("containers")), ...list(spec("initContainers"))].flatMap((container) =>
      list(fields(container)("ports")).flatMap(namedPort),
    ),
    addresses: isOver ? [] : [...new Set(ips.map(({ value, path }) => address(value, path)))],
    ...(absent(metadata("deletionTimestamp")) && isReady(list(status("conditions"))) ? {} : { isUnready: true }),
  };
}

/** Unless the contrary is told (core/v1 PodCondition). */
const isReady = (conditions: readonly Found[]): boolean =>
  conditions
    .map(fields)
    .filter((at) => text(at("type"), { or: "" }) === "Ready")
    .every((at) => text(at("status"), { or: "" }) === "True");

function namedPort(found: Found): NamedPort[] {
  const at = fields(found);
  if (absent(at("name"))) return [];
  return [
    {
      name: portName(at("name")),
      protocol: protocol(at("protocol")),
      port: integer(at("containerPort"), PORT),
    },
  ];
}

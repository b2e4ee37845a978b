/** What a node hears of from an API server: what policies are made of, definitions of networks if it is asked to. */
export interface Resource {
  /** In messages, and before the names that are told: `pods/shop/web-0`. */
  readonly plural: string;
  /** Of the list of all there are. */
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** Field selector: which of them. */
  readonly only?: string;
  /** Not every cluster knows it. */
  readonly isOptional?: true;
}

/** Those that have ended have no addresses. One that ends is told of as gone. */
export const PODS: Resource = {
  plural: "pods",
  path: "/api/v1/pods",
  apiVersion: "v1",
  kind: "Pod",
  only: "status.phase!=Succeeded,status.phase!=Failed",
};

export const NAMESPACES: Resource = {
  plural: "namespaces",
  path: "/api/v1/namespaces",
  apiVersion: "v1",
  kind: "Namespace",
};

export const RESOURCES: readonly Resource[] = [
  NAMESPACES,
  {
    plural: "networkpolicies.networking.k8s.io",
    path: "/apis/networking.k8s.io/v1/networkpolicies",
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
  },
  {
    plural: "clusternetworkpolicies.policy.networking.k8s.io",
    path: "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies",
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    isOptional: true,
  },
  PODS,
];

/** NetworkAttachmentDefinitions (NPWG 1.3, section 3). Their own kind, brought by whoever installs it. */
export const DEFINITIONS: Resource = {
  plural: "network-attachment-definitions.k8s.cni.cncf.io",
  path: "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions",
  apiVersion: "k8s.cni.cncf.io/v1",
  kind: "NetworkAttachmentDefinition",
  isOptional: true,
};

/** Of the project's own kinds. */
export const GROUP = "selvedge.dev";
export const VERSION = "v1alpha1";

const configured = (kind: string, plural: string): Resource => ({
  plural: `${plural}.${GROUP}`,
  path: `/apis/${GROUP}/${VERSION}/${plural}`,
  apiVersion: `${GROUP}/${VERSION}`,
  kind,
  isOptional: true,
});

/** Parts of the configuration, as install/kubernetes/resources.yaml defines them. */
export const CONFIGURED: readonly Resource[] = [
  configured("Tenant", "tenants"),
  configured("AddressPool", "addresspools"),
  configured("Network", "networks"),
  configured("Router", "routers"),
];

/** Items of a list do not say of which kind they are. */
export const withKind = ({ apiVersion, kind }: Resource, item: object): object => ({ ...item, apiVersion, kind });

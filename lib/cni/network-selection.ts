/**
 * Which further networks a pod asks for: the annotation `k8s.v1.cni.cncf.io/networks` (Kubernetes Network Custom Resource
 * Definition De-facto Standard 1.3, section 4), `blue,tenants/green@net7` or a list in JSON.
 */
import { type Address, address, type Mac, mac, type Prefix } from "#lib/address.ts";
import { absent, entries, type Found, fields, filled, linkName, list, optional, refuse, text } from "#lib/parse.ts";
import { ip } from "./ip.ts";
import type { Bandwidth, PortMapping } from "./types.ts";
import { bandwidthOf, portMapping } from "./wishes.ts";

export const NETWORKS_ANNOTATION = "k8s.v1.cni.cncf.io/networks";

export interface Selection {
  /** Of the NetworkAttachmentDefinition. */
  readonly namespace: string;
  readonly name: string;
  readonly interface: string;
  readonly ips: readonly (Address | Prefix)[];
  readonly mac?: Mac;
  /** The pod's default route leads there, by these; of none, by the network's own gateways. Absent: it does not. */
  readonly defaultRoute?: readonly Address[];
  readonly portMappings: readonly PortMapping[];
  readonly bandwidth?: Bandwidth;
  /** To be laid over `args.cni` of the definition's configuration. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Where it was asked for, for errors. */
  readonly path: string;
}

/** @param namespace of the pod: of definitions that name none. @throws SelvedgeError config-invalid naming the annotation */
export function parseSelections(annotation: string, namespace: string): Selection[] {
  const found: Found = { path: NETWORKS_ANNOTATION, value: annotation };
  const asked = annotation.trim().startsWith("[") ? listed(found, annotation) : named(annotation);
  const selections = asked.map((each, i) => selectionOf(each, namespace, `net${i + 1}`));
  const [, second] = selections.filter(({ defaultRoute }) => defaultRoute !== undefined);
  if (second !== undefined)
    refuse(
      { path: `${second.path}.default-route`, value: second.defaultRoute },
      "possible twice: one pod, one default",
    );
  return selections;
}

function listed(found: Found, annotation: string): Found[] {
  try {
    return list({ path: found.path, value: JSON.parse(annotation) });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return refuse(found, "a list of networks, with commas between them or in JSON");
  }
}

/** `namespace/name@interface`, as objects. The interface is Multus' addition, which everybody writes. */
const named = (annotation: string): Found[] =>
  annotation
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "")
    .map((each, i) => {
      const [, namespace, name, ifname] = /^(?:([^/@]*)\/)?([^/@]*)(?:@(.*))?$/.exec(each) ?? [];
      const found = { path: `${NETWORKS_ANNOTATION}[${i}]`, value: each };
      if (name === undefined || namespace === "" || ifname === "")
        return refuse(found, "a NetworkAttachmentDefinition such as blue, tenants/blue or tenants/blue@net1");
      return { ...found, value: { namespace, name, interface: ifname } };
    });

/** What nothing here can heed, and must not be left out in silence. */
const UNSUPPORTED: readonly string[] = ["infiniband-guid"];

function selectionOf(found: Found, namespace: string, ifname: string): Selection {
  const at = fields(found);
  for (const key of UNSUPPORTED) if (!absent(at(key))) refuse(at(key), "supported: leave it out");
  const hardware = optional(filled(at("mac")), ({ value, path }) => mac(value, path));
  const gateways = optional(at("default-route"), list);
  const bandwidth = bandwidthOf(at("bandwidth"));
  return {
    namespace: optional(filled(at("namespace")), objectName) ?? namespace,
    name: objectName(at("name")),
    interface: optional(filled(at("interface")), linkName) ?? ifname,
    ips: list(at("ips")).map((each) => ip(each.value, each.path)),
    ...(hardware === undefined ? {} : { mac: hardware }),
    ...(gateways === undefined ? {} : { defaultRoute: gateways.map(({ value, path }) => address(value, path)) }),
    portMappings: list(at("portMappings")).map(portMapping),
    ...(bandwidth === undefined ? {} : { bandwidth }),
    args: Object.fromEntries(entries(at("cni-args")).map(([key, { value }]) => [key, value])),
    path: found.path,
  };
}

/** Labels of RFC 1123, as Kubernetes names objects. */
const objectName = (found: Found): string =>
  /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text(found))
    ? text(found)
    : refuse(found, "a name of an object of Kubernetes: lower case letters, digits, dashes and dots");

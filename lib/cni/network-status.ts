/**
 * What Kubernetes is told of a pod's networks: the annotation `k8s.v1.cni.cncf.io/network-status` (Kubernetes Network Custom
 * Resource Definition De-facto Standard 1.3, section 5).
 */
import { type Address, addressOf, lengthOf } from "#lib/address.ts";
import type { Dns, Result } from "./types.ts";

export const NETWORK_STATUS_ANNOTATION = "k8s.v1.cni.cncf.io/network-status";

/** One of the pod's interfaces. */
export interface StatusPlane {
  /** `namespace/name` of a NetworkAttachmentDefinition, or the network's name. */
  readonly name: string;
  readonly ifname: string;
  /** The pod's own network, as against those that it asked for. */
  readonly isDefault: boolean;
  /** The pod's default route leads there. */
  readonly leads: boolean;
}

export interface NetworkStatus {
  readonly name: string;
  readonly interface: string;
  readonly ips?: readonly Address[];
  readonly mac?: string;
  readonly default: boolean;
  readonly dns?: Dns;
  /** Device Information Specification 1.1.0. */
  readonly "device-info"?: object;
  /** The standard's text (5.3.6.4) says `default-route`, its own client (types.go, NetworkStatus) and everybody says `gateway`. */
  readonly gateway?: readonly Address[];
}

/** @param result of the attachment that all the planes are of */
export const networkStatus = (planes: readonly StatusPlane[], result: Result): NetworkStatus[] =>
  planes.map(({ name, ifname, isDefault, leads }) => {
    const place = result.interfaces.findIndex((each) => each.name === ifname && (each.sandbox ?? "") !== "");
    const { mac, pciID } = result.interfaces[place] ?? {};
    const ips = result.ips.filter((ip) => place >= 0 && ip.interface === place).map((ip) => addressOf(ip.address));
    const gateways = leads ? defaultGateways(result) : [];
    return {
      name,
      interface: ifname,
      ...(ips.length === 0 ? {} : { ips }),
      ...(mac === undefined ? {} : { mac }),
      default: isDefault,
      ...(isDefault && Object.keys(result.dns).length > 0 ? { dns: result.dns } : {}),
      ...(pciID === undefined
        ? {}
        : { "device-info": { type: "pci", version: "1.1.0", pci: { "pci-address": pciID } } }),
      ...(gateways.length === 0 ? {} : { gateway: gateways }),
    };
  });

const defaultGateways = ({ routes }: Result): Address[] =>
  routes.flatMap(({ dst, gw, table }) => (lengthOf(dst) === 0 && table === undefined && gw !== undefined ? [gw] : []));

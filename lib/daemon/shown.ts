/** An attachment as selvedgectl shows it. */
import { addressOf } from "#lib/address.ts";
import { hostLinkName } from "#lib/attach/names.ts";
import type { Result } from "#lib/cni/types.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Attachment, Plane } from "#proto/selvedge_pb.ts";
import type { Core } from "./core.ts";
import { addressesOf, hostEndsOf, hostPortsOf, resultOf } from "./record.ts";
import { devicesOf } from "./shown-devices.ts";

/** @throws SelvedgeError kernel */
export async function shown(core: Core, record: AttachmentRecord): Promise<Attachment> {
  const result = resultOf(record);
  const sandbox = result?.interfaces.find(
    (i) => i.name === record.ifname && i.sandbox !== undefined && i.sandbox !== "",
  );
  return {
    key: { containerId: record.containerId, ifname: record.ifname },
    network: record.network,
    phase: record.phase,
    pod: record.pod ?? "",
    netns: record.netns,
    type: record.type,
    addresses: addressesOf(record),
    mac: sandbox?.mac ?? "",
    hostLink: hostEndsOf(record)[0]?.link.name ?? "",
    mtu: sandbox?.mtu ?? 0,
    created: new Date(record.createdMs).toISOString(),
    hostPorts: hostPortsOf(record).map(({ protocol, port }) => `${port}/${protocol}`),
    namespaceGone: core.kernel.namespaceInode(record.netns) !== record.netnsInode,
    planes: shownPlanes(record, result),
    devices: await devicesOf(core, record),
  };
}

function shownPlanes(record: AttachmentRecord, result: Result | undefined): Plane[] {
  const links = new Set(hostEndsOf(record).map(({ link }) => link.name));
  return (record.planes ?? []).map(({ name, ifname, type, tenant = "" }) => {
    const at = result?.interfaces.findIndex((i) => i.name === ifname && i.sandbox === record.netns) ?? -1;
    const { mac = "", mtu = 0 } = result?.interfaces[at] ?? {};
    const ips = (result?.ips ?? []).filter((ip) => at >= 0 && ip.interface === at);
    const own = hostLinkName({ containerId: record.containerId, ifname });
    const hostLink = links.has(own) ? own : "";
    return { name, ifname, type, tenant, addresses: ips.map((ip) => addressOf(ip.address)), mac, hostLink, mtu };
  });
}

/** The networks between the nodes, made of namespaces. */
import { ip, makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { inside, must } from "../../conformance/program.ts";
import {
  addressOf,
  type Family,
  LENGTH,
  NAMES,
  type Name,
  namespaceOf,
  ROUTER,
  routerOn,
  SEGMENTS,
  segmentOf,
} from "./place.ts";

/** @param families that the networks between the nodes have */
export async function makeWire(families: readonly Family[]): Promise<void> {
  await makeNamespace(ROUTER);
  for (const segment of SEGMENTS) {
    // One of its own: else it has that of a port, and another one when that port goes.
    await ip(ROUTER, `link add seg${segment} address 02:00:5e:00:53:0${segment} type bridge`);
    await ip(ROUTER, `link set seg${segment} up`);
    for (const family of families)
      await ip(ROUTER, `addr add ${routerOn(segment, family)}/${LENGTH[family]} dev seg${segment}${nodad(family)}`);
  }
  const forward = "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding";
  await must(inside(ROUTER, ["/bin/sh", "-c", forward]));
  for (const name of NAMES) await plug(name, families);
}

const nodad = (family: Family): string => (family === 6 ? " nodad" : "");
const portOf = (name: Name): string => `to-${name}`;

/** Makes the machine, without anything on it. */
export async function plug(name: Name, families: readonly Family[]): Promise<void> {
  const node = namespaceOf(name);
  const segment = segmentOf(name);
  await makeNamespace(node);
  await ip(node, `link add eth0 type veth peer name ${portOf(name)} netns ${ROUTER}`);
  await ip(ROUTER, `link set ${portOf(name)} master seg${segment} up`);
  await ip(node, "link set eth0 up");
  for (const family of families) {
    await ip(node, `addr add ${addressOf(name, family)}/${LENGTH[family]} dev eth0${nodad(family)}`);
    await ip(node, `-${family} route add default via ${routerOn(segment, family)}`);
  }
}

/** Takes the node's cable out, or puts it back. */
export const cable = (name: Name, plugged: boolean): Promise<string> =>
  ip(ROUTER, `link set ${portOf(name)} ${plugged ? "up" : "down"}`);

/** From now on the machine has another address, and no more the one that it had; for a moment it has none. */
export async function renumber(name: Name, family: Family, address: string): Promise<void> {
  const node = namespaceOf(name);
  await ip(node, `-${family} addr flush dev eth0 scope global`);
  await ip(node, `addr add ${address}/${LENGTH[family]} dev eth0${nodad(family)}`);
  await ip(node, `-${family} route replace default via ${routerOn(segmentOf(name), family)}`);
}

/** Whatever the node sends that is larger gets lost, and nobody is told. */
export const narrow = (name: Name, mtuBytes: number): Promise<string> =>
  ip(ROUTER, `link set ${portOf(name)} mtu ${mtuBytes}`);

/** The node's link takes packets of so many bytes from now on, and the node alone knows it. */
export async function shrink(name: Name, mtuBytes: number): Promise<void> {
  await narrow(name, mtuBytes);
  await ip(namespaceOf(name), `link set eth0 mtu ${mtuBytes}`);
}

/** Takes the machine away; its cable first: the kernel empties a namespace later than it takes its name away. */
export async function unplug(name: Name): Promise<void> {
  await ip(ROUTER, `link del ${portOf(name)}`);
  await removeNamespace(namespaceOf(name));
}

/** All networks between the nodes take packets of so many bytes from now on, and the nodes know it. */
export async function resize(mtuBytes: number): Promise<void> {
  for (const name of NAMES) await ip(ROUTER, `link set ${portOf(name)} mtu ${mtuBytes}`);
  for (const segment of SEGMENTS) await ip(ROUTER, `link set seg${segment} mtu ${mtuBytes}`);
  for (const name of NAMES) await ip(namespaceOf(name), `link set eth0 mtu ${mtuBytes}`);
}

/** The router lets nothing pass between the networks that goes to this UDP port, or everything again. */
export async function block(port: number, isBlocked: boolean): Promise<void> {
  const table = `table inet block-${port}`;
  const rules = isBlocked
    ? `${table} { chain forward { type filter hook forward priority 0; udp dport ${port} drop; }; }`
    : `delete ${table}`;
  await must(inside(ROUTER, ["nft", rules]));
}

/** The router sends what is for these addresses to the node; an IPv6 gateway may lead to IPv4 addresses (RFC 5549). */
export async function route(prefix: string, name: Name, underlay: Family): Promise<void> {
  const via = prefix.includes(":") || underlay === 4 ? "via" : "via inet6";
  await ip(ROUTER, `route replace ${prefix} ${via} ${addressOf(name, underlay)}`);
}

export async function removeWire(): Promise<void> {
  for (const namespace of [...NAMES.map(namespaceOf), ROUTER]) await removeNamespace(namespace);
}

/** What of an `apply` is about WireGuard: devices get their keys, and peers what is believed of them. */
import type { Op } from "#lib/state/diff.ts";
import type { Fact, LinkFact, WireguardPeerFact } from "#lib/state/fact.ts";
import { ERRNO } from "#native/libc.ts";
import { insist } from "../netlink/socket.ts";
import { createLink, groupLink, OWN_GROUP } from "../rtnl/link.ts";
import type { Driver, PeerChange, SeenDevice, SeenPeer } from "../wireguard/device.ts";
import { readPrivateKey } from "../wireguard/key.ts";
import { nativeDriver } from "../wireguard/native.ts";
import { type UserspaceOptions, userspaceDriver } from "../wireguard/userspace.ts";
import { linkByName, type Place } from "./place.ts";

export interface WireguardOptions {
  /** Directory of the private halves; `keyFileName` says how each is called. */
  readonly keys: string;
  /** For a kernel that has none. */
  readonly userspace?: UserspaceOptions;
}

export interface Wireguard extends Disposable {
  /** Completes the links that were found, and adds those of the wanted peers that are there. @throws SelvedgeError kernel */
  look(found: readonly Fact[], wanted: readonly Fact[]): Promise<Fact[]>;
  /** Every peer of the devices that are ours. @throws SelvedgeError kernel */
  owned(found: readonly Fact[]): Promise<Fact[]>;
  /** A device that the kernel cannot make is there before the rest of its link is put. @throws SelvedgeError kernel */
  prepare(nextIndex: () => number, ops: readonly Op[]): Promise<void>;
  /** @throws SelvedgeError kernel */
  configure(ops: readonly Op[]): Promise<void>;
  peers(link: string): Promise<readonly SeenPeer[]>;
}

export function wireguard(host: Place, options: WireguardOptions | undefined): Wireguard {
  const native = nativeDriver(host.netns);
  const userspace = options?.userspace && userspaceDriver(options.userspace);
  const driver = (): Driver => (native.isThere() ? native : (userspace ?? native));

  const devicesOf = async (names: ReadonlySet<string>): Promise<Map<string, SeenDevice>> => {
    const devices = new Map<string, SeenDevice>();
    for (const name of names) {
      const device = await driver().read(name);
      if (device !== undefined) devices.set(name, device);
    }
    return devices;
  };

  return {
    async look(found, wanted) {
      const links = new Set(found.flatMap((fact) => (isDevice(fact) ? [fact.name] : [])));
      const peers = wanted.filter(isPeer);
      if (links.size + peers.length === 0) return [...found];
      const devices = await devicesOf(new Set([...links, ...peers.map(({ link }) => link)]));
      const byKey = new Map(
        [...devices].map(([name, device]) => [name, new Map(device.peers.map((peer) => [peer.publicKey, peer]))]),
      );
      return [
        ...found.map((fact) => (isDevice(fact) ? withDevice(fact, devices.get(fact.name)) : fact)),
        ...peers.flatMap((want) => peerFact(want.link, byKey.get(want.link)?.get(want.publicKey))),
      ];
    },
    async owned(found) {
      const links = new Set(found.flatMap((fact) => (isDevice(fact) ? [fact.name] : [])));
      const devices = await devicesOf(links);
      return [
        ...found.map((fact) => (isDevice(fact) ? withDevice(fact, devices.get(fact.name)) : fact)),
        ...[...devices].flatMap(([name, device]) => device.peers.flatMap((peer) => peerFact(name, peer))),
      ];
    },
    async prepare(nextIndex, ops) {
      if (userspace === undefined) return;
      for (const { do: verb, fact } of ops) {
        if (verb !== "add" || !isDevice(fact) || (await linkByName(host, fact.name)) !== undefined) continue;
        // Asked as the first use does, which loads a module that only waits to be.
        const [reply] = await host.run([createLink(fact, nextIndex())]);
        if (reply?.error?.code !== ERRNO.EOPNOTSUPP) continue;
        await userspace.start(fact.name);
        const link = await linkByName(host, fact.name);
        if (link !== undefined) insist(await host.run([groupLink(link.index, OWN_GROUP)]));
      }
    },
    async configure(ops) {
      const links = new Set(
        ops.flatMap(({ fact }) => (isDevice(fact) ? [fact.name] : isPeer(fact) ? [fact.link] : [])),
      );
      // With a device go its peers.
      for (const { do: verb, fact } of ops) if (verb === "remove" && isDevice(fact)) links.delete(fact.name);
      for (const name of links) {
        const device = ops.flatMap(({ do: verb, fact }) =>
          verb !== "remove" && isDevice(fact) && fact.name === name ? (fact.wireguard ?? []) : [],
        )[0];
        const peers = ops.flatMap((op) => (isPeer(op.fact) && op.fact.link === name ? [changeOf(op.do, op.fact)] : []));
        if (device === undefined && (peers.length === 0 || (await driver().read(name)) === undefined)) continue;
        // What is taken from one peer is there to be given to another.
        peers.sort((a, b) => Number(a.to !== undefined) - Number(b.to !== undefined));
        const identity =
          device === undefined
            ? {}
            : { privateKey: readPrivateKey(options?.keys ?? "", device.publicKey), port: device.port };
        await driver().write(name, { ...identity, peers });
      }
    },
    peers: async (link) => (await driver().read(link))?.peers ?? [],
    [Symbol.dispose]: () => native[Symbol.dispose](),
  };
}

const isDevice = (fact: Fact): fact is LinkFact => fact.type === "link" && fact.kind === "wireguard";
const isPeer = (fact: Fact): fact is WireguardPeerFact => fact.type === "wireguard-peer" && fact.at === "host";

const withDevice = (fact: LinkFact, device: SeenDevice | undefined): LinkFact =>
  device?.publicKey === undefined ? fact : { ...fact, wireguard: { publicKey: device.publicKey, port: device.port } };

function peerFact(link: string, peer: SeenPeer | undefined): Fact[] {
  if (peer?.endpoint === undefined) return [];
  const { publicKey, endpoint, allowed } = peer;
  return [{ type: "wireguard-peer", at: "host", link, publicKey, endpoint, allowed }];
}

const changeOf = (verb: Op["do"], { publicKey, endpoint, allowed }: WireguardPeerFact): PeerChange =>
  verb === "remove" ? { publicKey } : { publicKey, to: { endpoint, allowed } };

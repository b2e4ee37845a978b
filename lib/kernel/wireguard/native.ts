/** WireGuard in the kernel, told by generic netlink. */
import { addressOf, family, fromBytes, lengthOf, toBytes, withLength } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import { ERRNO } from "#native/libc.ts";
import { NETLINK_GENERIC } from "#native/socket.ts";
import type { Carried } from "../netlink/codec.ts";
import type { Request } from "../netlink/message.ts";
import { insist, type NetlinkSocket, netlinkSocket } from "../netlink/socket.ts";
import {
  CTRL_CMD_GETFAMILY,
  familyMessage,
  GENL_ID_CTRL,
  WG_COMMAND,
  WG_GENL,
  WGPEER_F,
  wireguardDevice,
  type wireguardPeer,
} from "../netlink/wireguard.ts";
import { AF } from "../rtnl/family.ts";
import {
  type DeviceChange,
  type Driver,
  keyToBytes,
  keyToText,
  type PeerChange,
  type SeenDevice,
  type SeenPeer,
} from "./device.ts";

/** An attribute holds 65,535 bytes: a peer takes some 90, each of its prefixes up to 36. */
const PREFIXES_A_MESSAGE = 1_000;
const PEER_COUNTS_AS = 3;

export interface NativeDriver extends Driver, Disposable {
  /** Whether the kernel has WireGuard: a module that is not loaded yet is loaded with the first device. */
  isThere(): boolean;
}

/** `netns`: descriptor of the namespace whose devices they are; absent: the process's own. */
export function nativeDriver(netns?: number): NativeDriver {
  const opened = new Map<"asking" | "changing", NetlinkSocket>();
  let known: number | undefined;
  // Not one for both: while a change waits for the kernel on a thread, what asks would take its acknowledgement away.
  const socket = (of: "asking" | "changing"): NetlinkSocket => {
    const found = opened.get(of) ?? netlinkSocket(NETLINK_GENERIC, netns);
    opened.set(of, found);
    return found;
  };
  const familyId = (): number | undefined => {
    known ??= socket("asking")
      .exchange([getFamily])[0]
      ?.messages.map((message) => familyMessage.read(message.body).attrs.id)
      .find((id) => id !== undefined);
    return known;
  };
  return {
    isThere: () => familyId() !== undefined,
    async read(name) {
      const type = familyId();
      if (type === undefined) return undefined;
      try {
        return together(
          socket("asking")
            .dump(getDevice(type, name))
            .map(({ body }) => wireguardDevice.read(body).attrs),
        );
      } catch (error) {
        if (isFailure(error, "kernel") && NONE.includes(error.failure.errno)) return undefined;
        throw error;
      }
    },
    async write(name, change) {
      const type = familyId() ?? 0;
      insist(await socket("changing").exchangeAsync(messagesOf(change).map((part) => setDevice(type, name, part))));
    },
    [Symbol.dispose]() {
      for (const each of opened.values()) each.close();
    },
  };
}

/** Gone; or a link of another kind. */
const NONE: readonly number[] = [ERRNO.ENODEV, ERRNO.EOPNOTSUPP];

const getFamily: Request = {
  what: "genl family wireguard",
  type: GENL_ID_CTRL,
  flags: 0,
  body: familyMessage.body({ command: CTRL_CMD_GETFAMILY, version: 1 }, { name: WG_GENL.NAME }),
};

const getDevice = (type: number, name: string): Request => ({
  what: `wg show ${name}`,
  type,
  flags: 0,
  body: wireguardDevice.body({ command: WG_COMMAND.GET, version: WG_GENL.VERSION }, { name }),
});

const setDevice = (type: number, name: string, { privateKey, port, peers }: DeviceChange): Request => ({
  what: `wg set ${name}`,
  type,
  flags: 0,
  body: wireguardDevice.body(
    { command: WG_COMMAND.SET, version: WG_GENL.VERSION },
    {
      name,
      ...(privateKey === undefined ? {} : { privateKey }),
      ...(port === undefined ? {} : { port }),
      ...(peers.length === 0 ? {} : { peers: peers.map(peerValues) }),
    },
  ),
});

function peerValues({ publicKey, to }: PeerChange): Carried<typeof wireguardPeer> {
  if (to === undefined) return { publicKey: keyToBytes(publicKey), flags: WGPEER_F.REMOVE_ME };
  return {
    publicKey: keyToBytes(publicKey),
    flags: WGPEER_F.REPLACE_ALLOWEDIPS,
    endpoint: to.endpoint,
    allowed: to.allowed.map((prefix) => ({
      family: AF[family(prefix)],
      address: toBytes(addressOf(prefix)),
      length: lengthOf(prefix),
    })),
  };
}

/** As many peers at a time as a message holds. */
function messagesOf({ peers, ...device }: DeviceChange): DeviceChange[] {
  const groups: PeerChange[][] = [[]];
  let size = 0;
  for (const peer of peers) {
    const more = PEER_COUNTS_AS + (peer.to?.allowed.length ?? 0);
    if (size + more > PREFIXES_A_MESSAGE && size > 0) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)?.push(peer);
    size += more;
  }
  return groups.map((group, i) => ({ ...(i === 0 ? device : {}), peers: group }));
}

type Answer = ReturnType<typeof wireguardDevice.read>["attrs"];

/** A device of many peers comes in several messages, and a peer that did not fit into one goes on in the next. */
function together(answers: readonly Answer[]): SeenDevice | undefined {
  const [first] = answers;
  if (first === undefined) return undefined;
  const peers = new Map<string, SeenPeer>();
  for (const peer of answers.flatMap((answer) => answer.peers ?? [])) {
    const seen = readPeer(peer);
    const before = peers.get(seen.publicKey);
    peers.set(
      seen.publicKey,
      before === undefined ? seen : { ...before, allowed: [...before.allowed, ...seen.allowed].sort() },
    );
  }
  const hasKey = first.publicKey?.some((byte) => byte !== 0) ?? false;
  return {
    ...(first.publicKey === undefined || !hasKey ? {} : { publicKey: keyToText(first.publicKey) }),
    port: first.port ?? 0,
    peers: [...peers.values()],
  };
}

function readPeer({
  publicKey,
  endpoint,
  allowed = [],
  lastHandshake,
  rxBytes,
  txBytes,
}: Carried<typeof wireguardPeer>): SeenPeer {
  const seconds = Number(lastHandshake?.seconds ?? 0n);
  return {
    publicKey: keyToText(publicKey ?? new Uint8Array()),
    ...(endpoint === undefined ? {} : { endpoint }),
    allowed: allowed
      .flatMap(({ address, length }) => (address === undefined ? [] : [withLength(fromBytes(address), length ?? 0)]))
      .sort(),
    ...(seconds === 0 ? {} : { lastHandshakeSeconds: seconds }),
    rxBytes: Number(rxBytes ?? 0n),
    txBytes: Number(txBytes ?? 0n),
  };
}

/**
 * The netlink messages of one attachment, taken from the code that the daemon runs: its sockets are replaced by ones
 * that write down what they are given and say that all went well.
 */
import { applyAdditions } from "#lib/kernel/linux/add.ts";
import type { Place } from "#lib/kernel/linux/place.ts";
import { NLM_F, type Request, writeMessage } from "#lib/kernel/netlink/message.ts";
import { type NetlinkSocket, netlinkSocket } from "#lib/kernel/netlink/socket.ts";
import { writer } from "#lib/kernel/netlink/writer.ts";
import type { BatchSocket } from "#lib/kernel/nft/batch.ts";
import { elementsOf } from "#lib/kernel/nft/elements.ts";
import { generations } from "#lib/kernel/nft/generation.ts";
import { BATCH, nfgenmsg, SUBSYSTEM } from "#lib/kernel/nft/wire.ts";
import type { Op } from "#lib/state/diff.ts";
import type { ElementFact, Fact } from "#lib/state/fact.ts";
import type { Place as PlaceName } from "#lib/state/place.ts";
import { NETLINK_NETFILTER } from "#native/socket.ts";

/** One sendmsg. One request in it is acknowledged; besides that only refusals are answered. */
export interface Datagram {
  readonly to: PlaceName | "nftables";
  readonly bytes: Uint8Array;
  /** Sequence number of the request that is acknowledged. */
  readonly acknowledged: number;
  /** Sequence numbers of those that take away what need not be there. */
  readonly mayFail: readonly number[];
}

export interface Recorder extends Disposable {
  /** In the order in which the kernel code sends them. The links get indexes from `nextIndex`. */
  datagrams(facts: readonly Fact[], nextIndex: () => number): Promise<Datagram[]>;
}

/** @throws SelvedgeError kernel */
export function recorder(): Recorder {
  const socket = netlinkSocket(NETLINK_NETFILTER);
  return {
    async datagrams(facts, nextIndex) {
      const nftables = recordElements(socket, facts);
      const sent: Datagram[] = [];
      const place = (at: PlaceName): Place => {
        const run: Place["run"] = async (requests) => {
          if (requests.length > 0) sent.push(datagram(at, requests));
          return requests.map((request) => ({ request, messages: [] }));
        };
        return { at, run, wait: run, dump: () => [] };
      };
      const ops = facts.map((fact): Op => ({ do: "add", fact }));
      await applyAdditions({ host: place("host"), pod: place("pod") }, nextIndex, ops);
      return [...nftables, ...sent];
    },
    [Symbol.dispose]: () => socket.close(),
  };
}

function recordElements(socket: NetlinkSocket, facts: readonly Fact[]): Datagram[] {
  const sent: Datagram[] = [];
  const batches: BatchSocket = {
    commit(requests) {
      sent.push(datagram("nftables", [enclosing(BATCH.BEGIN), ...requests, enclosing(BATCH.END)], 1));
      return [];
    },
    close: () => {},
  };
  const elements = facts.filter((fact): fact is ElementFact => fact.type === "element");
  elementsOf({ socket, open: () => socket, batches, rules: generations(socket) }, true).change(elements, []);
  return sent;
}

function enclosing(type: number): Request {
  const body = writer(4);
  nfgenmsg.write(body, { resource: SUBSYSTEM });
  return { what: "commit nftables", type, flags: 0, body: body.bytes() };
}

/** `behind`: how many requests follow the one that is acknowledged. */
function datagram(to: Datagram["to"], requests: readonly Request[], behind = 0): Datagram {
  const bytes = writer(2_048);
  const acknowledged = requests.length - behind;
  requests.forEach((request, i) => {
    writeMessage(bytes, request, i + 1, i + 1 === acknowledged ? NLM_F.ACK : 0);
  });
  const mayFail = requests.flatMap((request, i) => (to !== "nftables" && isDeletion(request) ? [i + 1] : []));
  return { to, bytes: bytes.bytes(), acknowledged, mayFail };
}

/** linux/rtnetlink.h (v6.12): types come in groups of four: new, del, get, set. */
const isDeletion = ({ type }: Request): boolean => type % 4 === 1;

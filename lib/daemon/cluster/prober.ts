/** Asks every other node again and again whether it is there, and keeps what the newest questions have shown. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, family } from "#lib/address.ts";
import { type ProbeReport, type Probing, probing } from "#lib/cluster/probing.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import type { Echo } from "#lib/echo/echo.ts";

/** Probes that a report speaks of. */
const WINDOW = 60;
/** At most so many questions go out at once, and so long after one another: 500 in a second, however many nodes there are. */
const GROUP = 25;
const GROUP_MS = 50;
/** An answer may take so long in any case, however often is asked. */
const PATIENCE_MS = 250;
/** Kernels say once in a second that nobody listens (Documentation/networking/ip-sysctl.rst, icmp_ratelimit). */
const THERE_US = 3_000_000;

export interface Prober {
  /** Undefined for a node that was not asked yet. */
  report(node: string): ProbeReport | undefined;
  /** Whether the node's machine has answered of late in place of its daemon. */
  machineAnswers(node: string): boolean;
  /** It has, to this question. */
  refused(nonce: bigint): void;
  /** An answer has come. */
  heard(nonce: bigint): void;
  /** Asks until the signal; `onRound` after each time that all were asked. */
  run(echo: Echo, onRound: (asked: readonly string[]) => void, signal: AbortSignal): Promise<void>;
}

export interface ProberOptions {
  /** The other nodes, by name. */
  readonly peers: () => Iterable<NodeRecord>;
  /** This node's own addresses between the nodes. */
  readonly own: () => readonly Address[];
  readonly everyMs: number;
  /** Microseconds on a monotonic clock. */
  readonly clockUs: () => number;
}

export function prober({ peers, own, everyMs, clockUs }: ProberOptions): Prober {
  const patienceUs = Math.max(everyMs, PATIENCE_MS) * 1_000;
  const of = new Map<string, { readonly uid: string; readonly probes: Probing }>();
  /** Questions without an answer, in the order in which they went out. */
  const asked = new Map<bigint, { readonly node: string; readonly probes: Probing; readonly atUs: number }>();

  /** When a node's machine last answered in place of its daemon, by name. */
  const refusals = new Map<string, number>();

  const probesOf = ({ name, uid }: NodeRecord): Probing => {
    const known = of.get(name);
    if (known?.uid === uid) return known.probes;
    const probes = probing({ window: WINDOW, patienceUs });
    of.set(name, { uid, probes });
    return probes;
  };

  const ask = (echo: Echo, peer: NodeRecord): void => {
    const probes = probesOf(peer);
    const address = addressOf(peer, own());
    if (address === undefined) return;
    const missing = probes.report(clockUs()).lostInARow > 0;
    const nonce = randomBytes(8).readBigUInt64BE();
    const atUs = clockUs();
    asked.set(nonce, { node: peer.name, probes, atUs });
    probes.sent(nonce, atUs);
    const to = { address, port: peer.echoPort, uid: peer.uid };
    if (missing) echo.askClosely(to, nonce);
    else echo.ask(to, nonce);
  };

  const forget = (): void => {
    const longAgoUs = clockUs() - patienceUs;
    for (const [nonce, { atUs }] of asked) {
      if (atUs > longAgoUs) break;
      asked.delete(nonce);
    }
  };

  return {
    machineAnswers: (node) => clockUs() - (refusals.get(node) ?? Number.NEGATIVE_INFINITY) < THERE_US,
    refused(nonce) {
      const question = asked.get(nonce);
      if (question !== undefined) refusals.set(question.node, clockUs());
    },
    report: (node) => of.get(node)?.probes.report(clockUs()),
    heard(nonce) {
      asked.get(nonce)?.probes.answered(nonce, clockUs());
      asked.delete(nonce);
    },
    async run(echo, onRound, signal) {
      while (!signal.aborted) {
        const beganUs = clockUs();
        const round = [...peers()];
        const names = new Set(round.map(({ name }) => name));
        for (const name of of.keys())
          if (!names.has(name)) {
            of.delete(name);
            refusals.delete(name);
          }
        for (let first = 0; first < round.length && !signal.aborted; first += GROUP) {
          if (first > 0) await pause(GROUP_MS, signal);
          for (const peer of round.slice(first, first + GROUP)) ask(echo, peer);
        }
        await pause(Math.max(0, everyMs - (clockUs() - beganUs) / 1_000), signal);
        forget();
        if (!signal.aborted) onRound([...names]);
      }
    },
  };
}

/** The peer's first address of the family that this node prefers, else its first of one that this node has. */
const addressOf = (peer: NodeRecord, own: readonly Address[]): Address | undefined =>
  own
    .map((each) => peer.addresses.find((address) => family(address) === family(each)))
    .find((each) => each !== undefined);

const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {});

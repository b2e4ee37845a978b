/**
 * Policies in force on this node. Every change goes to the kernel as the elements that it touches, new ones before those
 * that they replace; what stands there is compared with what should by the same passes that compare everything.
 */

import type { Chain } from "#lib/datapath/chain.ts";
import { policyChains } from "#lib/datapath/policy-chains.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { ObjectSource } from "#lib/k8s/objects.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { keyedLock } from "#lib/lock.ts";
import type { Log } from "#lib/log.ts";
import { type Enforcement, enforcement } from "#lib/policy/enforcement.ts";
import { slicesAsMade } from "#lib/slices.ts";
import { lacking, type Op } from "#lib/state/diff.ts";
import type { ElementFact, Fact, SysctlFact } from "#lib/state/fact.ts";
import type { AttachmentKey, AttachmentRecord } from "#lib/store/store.ts";
import { keyOf } from "../table.ts";
import { keptOf, podNameOf } from "./held.ts";
import { hearing, type PodListener } from "./objects.ts";

export interface PoliciesOptions {
  readonly source: ObjectSource;
  readonly kernel: Pick<Kernel, "look" | "apply" | "elements">;
  readonly log: Log;
  /** Microseconds on a monotonic clock. */
  readonly clockUs: () => number;
  readonly audit: boolean;
  /** Makes the node's tables with the chains as they are now. @throws SelvedgeError kernel */
  readonly remakeTables: () => Promise<void>;
  /** Something is to be looked at by the next pass. */
  readonly poke: () => void;
  /** What pods cannot start without is not known, and why; undefined: it is. */
  readonly waits: (reason: string | undefined) => void;
  readonly pods?: PodListener | undefined;
}

export interface Policies {
  readonly enforcement: Enforcement;
  readonly audit: boolean;
  /** All there is has been told and read; until then nothing of what stands is taken away. */
  readonly isInformed: boolean;
  /** @throws SelvedgeError not-ready, with what is not known: until then no pod starts */
  mustBeInformed(): void;
  /** What cannot be read now, by the source's name for it. */
  readonly refused: ReadonlyMap<string, string>;
  /** Something could not be told to the kernel: the next pass looks. */
  readonly isDoubtful: boolean;
  chains(): readonly Chain[];
  /** The element is one that should stand, whatever its value. */
  wants(fact: ElementFact): boolean;
  elementsOf(key: AttachmentKey): readonly ElementFact[];
  /** Reads everything there is; what stands in the kernel is left. */
  begin(records: Iterable<AttachmentRecord>, signal: AbortSignal): Promise<void>;
  /** Before its first packet. @throws SelvedgeError not-ready, kernel */
  hold(record: AttachmentRecord): Promise<void>;
  /** @throws SelvedgeError kernel */
  release(key: AttachmentKey): Promise<void>;
  /** What the kernel lacks of it. @throws SelvedgeError kernel */
  lacks(): Promise<Op[]>;
  /** Makes what is lacking; returns what was done. @throws SelvedgeError kernel */
  repairAll(): Promise<Op[]>;
  /**
   * The same of the next share, or of all where something is doubtful: what others do to elements is told, so that
   * looking at hundreds of thousands again and again would be for what nobody has done.
   */
  repairShare(): Promise<Op[]>;
  /** Every element was looked at by the last repair, or those before. */
  readonly isRoundOver: boolean;
  /** Ends with the signal given to `begin`. */
  readonly done: Promise<void>;
}

/**
 * What passes between ports of a bridge is shown to the rules for what is routed (br_netfilter; it keeps track of the
 * connections as well).
 */
const BRIDGED: readonly SysctlFact[] = [
  "net/bridge/bridge-nf-call-iptables",
  "net/bridge/bridge-nf-call-ip6tables",
].map((key) => ({ type: "sysctl", at: "host", key, value: "1" }));

/** Begins the sentence that says why no pod can start. */
export const UNINFORMED = "policies are not known yet";

/** So many elements are looked at before others have their turn. */
const LOOK_AT_ONCE = 256;
/** And so many by one pass: 0.3 s. */
const SHARE = 10_000;

export function openPolicies({
  source,
  kernel,
  log,
  clockUs,
  audit,
  remakeTables,
  poke,
  waits,
  pods,
}: PoliciesOptions): Policies {
  const compiled = enforcement();
  const alone = keyedLock();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => alone("", work);
  /** Attachments to bridges. */
  const bridged = new Set<string>();
  let isDoubtful = false;
  let isBegun = false;
  let done: Promise<void> = Promise.resolve();
  let chains: { readonly text: string; readonly of: readonly Chain[] } = made();

  function made() {
    const options = { audit, outside: compiled.outside(), ports: compiled.longRanges() };
    const of = policyChains(options);
    return { of, text: JSON.stringify(of) };
  }

  /** What changed goes to the kernel: rows and classes before the chains that lead to them, and away after. */
  const settle = async (): Promise<{ came: number; went: number }> => {
    // What stands was made of all of them; without some it would be another.
    if (!heard.isComplete) return { came: 0, went: 0 };
    const { add, remove } = compiled.take();
    const next = made();
    const isSame = next.text === chains.text;
    chains = next;
    const adding = add.map((fact): Op => ({ do: "add", fact }));
    const removing = remove.map((fact): Op => ({ do: "remove", fact }));
    const counts = { came: add.length, went: remove.length };
    if (isSame && adding.length + removing.length === 0) return counts;
    try {
      if (isSame) await kernel.apply({}, [...adding, ...removing]);
      else {
        await kernel.apply({}, adding);
        await remakeTables();
        await kernel.apply({}, removing);
      }
      return counts;
    } catch (error) {
      isDoubtful = true;
      throw error;
    }
  };

  const settleBehind = (isNew: boolean): void =>
    void inTurn(async () => {
      const beganUs = clockUs();
      const counts = await settle();
      if (!isNew && counts.came + counts.went === 0) return;
      const tookMs = Math.round((clockUs() - beganUs) / 100) / 10;
      log({ event: "policies-changed", policies: compiled.policies.length, ...counts, tookMs });
    }).catch((error: unknown) => {
      if (!isFailure(error)) throw error;
      log({ event: "policies-failed", message: error.message });
      poke();
    });

  /** Why no pod can start. */
  const uninformed = (): string | undefined => {
    if (heard.isComplete) return undefined;
    return [UNINFORMED, ...(heard.lacking() ?? ["nothing was told yet"])].join(": ");
  };
  const mustBeInformed = (): void => {
    const reason = uninformed();
    if (reason === undefined) return;
    throw new SelvedgeError({ kind: "not-ready" }, reason, {
      hint: "A pod starts only when its policies are known; `selvedgectl policy list` shows what cannot be read.",
    });
  };
  const onTold = (isNew: boolean): void => {
    waits(uninformed());
    if (!isBegun) return;
    settleBehind(isNew);
    if (isDoubtful) poke();
  };
  const heard = hearing(compiled, log, onTold, pods);

  const look = async (facts: readonly Fact[]): Promise<Op[]> => lacking(facts, await kernel.look({}, facts));
  const showBridged = async (): Promise<Op[]> => {
    const ops = await look(BRIDGED);
    try {
      await kernel.apply({}, ops);
    } catch (error) {
      if (!isFailure(error, "kernel")) throw error;
      throw new SelvedgeError(error.failure, error.message, {
        hint: "Policies between pods on one bridge need the kernel module br_netfilter: load it, or attach by ptp.",
        cause: error,
      });
    }
    return ops;
  };
  /** What passes have not looked at yet, each at its share; undefined: the next begins a round. */
  let round: Iterator<ElementFact> | undefined;
  function* share(): Generator<ElementFact> {
    round ??= compiled.elements()[Symbol.iterator]();
    for (let taken = 0; taken < SHARE; taken++) {
      const next = round.next();
      if (next.done === true) {
        round = undefined;
        return;
      }
      yield next.value;
    }
  }
  const repairAll = async (): Promise<Op[]> => {
    round = undefined;
    return repair(compiled.elements());
  };
  const repair = async (elements: Iterable<ElementFact>): Promise<Op[]> => {
    if (!heard.isComplete) return [];
    isDoubtful = false;
    const done: Op[] = [];
    try {
      if (bridged.size > 0) done.push(...(await showBridged()));
      for await (const slice of slicesAsMade(elements, LOOK_AT_ONCE))
        await inTurn(async () => {
          // Since the slices were cut, others may have changed what should stand.
          const ops = await look(slice.flatMap((fact) => compiled.standing(fact) ?? []));
          await kernel.apply({}, ops);
          done.push(...ops);
        });
    } catch (error) {
      isDoubtful = true;
      throw error;
    }
    return done;
  };

  const holdInMemory = (record: AttachmentRecord): void => {
    const { held, isBridged, unseen } = keptOf(record);
    if (held !== undefined) compiled.hold(held);
    if (isBridged) bridged.add(keyOf(record));
    for (const { ifname, type } of unseen)
      log({ event: "policy-blind", container: record.containerId, ifname, pod: record.pod ?? "", type });
  };

  return {
    enforcement: compiled,
    audit,
    mustBeInformed,
    refused: heard.refused,
    get isInformed() {
      return heard.isComplete;
    },
    get isDoubtful() {
      return isDoubtful;
    },
    get done() {
      return done;
    },
    chains: () => chains.of,
    wants: (fact) => compiled.standing(fact) !== undefined,
    elementsOf: (key) => compiled.elementsOf(keyOf(key)),
    async begin(records, signal) {
      ({ done } = await source.follow(heard.listener, signal));
      waits(uninformed());
      for (const record of records) if (record.phase !== "deleting") holdInMemory(record);
      compiled.take();
      chains = made();
      isDoubtful = true;
      isBegun = true;
    },
    async hold(record) {
      mustBeInformed();
      const pod = podNameOf(record);
      if (pod !== undefined) await source.knowPod?.(pod);
      // Rows that others use already may be among what could not be told to the kernel.
      if (isDoubtful) await repairAll();
      await inTurn(async () => {
        holdInMemory(record);
        if (bridged.size > 0) await showBridged();
        await settle();
      });
    },
    release: (key) =>
      inTurn(async () => {
        bridged.delete(keyOf(key));
        compiled.release(keyOf(key));
        await settle();
      }),
    async lacks() {
      if (!heard.isComplete) return [];
      const ops = bridged.size > 0 ? await look(BRIDGED) : [];
      for await (const slice of slicesAsMade(compiled.elements(), LOOK_AT_ONCE)) ops.push(...(await look(slice)));
      return ops;
    },
    get isRoundOver() {
      return round === undefined;
    },
    repairAll,
    repairShare: () => (isDoubtful ? repairAll() : repair(share())),
  };
}

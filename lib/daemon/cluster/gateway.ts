/**
 * The addresses by which pods leave the cluster, as far as this node holds them: taken, kept and given up by the rules
 * of lib/cluster/egress-claim.ts. The kernel is told how long each is valid, so that the end of this process, or a
 * pause of it, ends the address, too.
 */
import type { Address } from "#lib/address.ts";
import { dueMs, heldUntilMs, placeAmong, type SeenClaim, type Vacancy, vacancyOf } from "#lib/cluster/egress-claim.ts";
import { legible } from "#lib/cluster/legible.ts";
import { readEgress, readLiveness } from "#lib/cluster/read-record.ts";
import { aliveKey, type EgressRecord, egressKey, KEYS, type NodeId } from "#lib/cluster/records.ts";
import type { EgressAddresses } from "#lib/config/egress.ts";
import { heldAddress, heldElement } from "#lib/datapath/egress/facts.ts";
import { isFailure } from "#lib/errors.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { keyedLock } from "#lib/lock.ts";
import type { Log } from "#lib/log.ts";
import { loop } from "#lib/loop.ts";
import type { ElementFact } from "#lib/state/fact.ts";
import type { Entry, Revision, Shared, SharedChange } from "#lib/store/shared.ts";
import type { Listener } from "./membership.ts";

export interface Gateway extends Listener {
  /** Whether this node holds the address now. */
  holds(address: Address): boolean;
  /** Makes packets leave under what is held. */
  elements(): ElementFact[];
  /** What the kernel has still of a daemon before this one counts for its time. Once, before everything else. @throws SelvedgeError kernel */
  begin(): Promise<void>;
  /** Takes what is due, proves what is held, lets go what others are to hold. Reports its own failures. */
  tick(): Promise<void>;
  /** Gives up what there is no proof for any more. Reports its own failures. */
  expire(): Promise<void>;
}

export interface GatewayOptions {
  readonly self: NodeId;
  readonly shared: Pick<Shared, "get" | "put">;
  readonly kernel: Pick<Kernel, "look" | "apply" | "flushConntrack">;
  readonly egress: readonly EgressAddresses[];
  /** The node's link that such addresses are on; undefined: it is not there. */
  readonly linkOf: (egress: EgressAddresses) => string | undefined;
  readonly log: Log;
  /** Microseconds on a monotonic clock. */
  readonly clockUs: () => number;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Something else is held now. `taken`: the place in the configuration of what has just come. */
  readonly onChange: (taken?: number) => void;
}

/** By which this node holds an address. */
interface Tenure {
  /** Of the record, and of the node's liveness entry when it was written. */
  readonly revision: Revision;
  readonly alive: Revision;
  readonly provenMs: number;
}

interface Claim {
  readonly index: number;
  readonly egress: EgressAddresses;
  readonly address: Address;
  seen: SeenClaim;
  vacancy?: Vacancy;
  held?: { readonly tenure: Tenure; readonly link: string; told: number };
  /** On this link of a daemon before this one, at most until then; the kernel itself knows better. */
  standing?: { readonly link: string; readonly untilMs: number };
}

/** Neighbours are told so often: one frame may get lost. */
const TELLINGS = 3;

export function gateway(options: GatewayOptions): Gateway {
  const { self, shared, kernel, log, linkOf } = options;
  const clockMs = (): number => options.clockUs() / 1_000;
  /** What is told to the kernel of an address is told in order. */
  const turns = keyedLock();
  const alive = new Map<string, string>();
  let connected = false;
  const claims = options.egress.flatMap((egress, index) =>
    egress.addresses.map((address): Claim => ({ index, egress, address, seen: { revision: "absent" } })),
  );
  const byKey = new Map(claims.map((claim) => [egressKey(claim.address), claim]));

  const untilMs = ({ egress, held }: Claim): number =>
    held === undefined ? 0 : heldUntilMs(held.tenure.provenMs, egress.holdSeconds);

  /** @throws SelvedgeError store */
  const prove = async (): Promise<{ readonly revision: Revision; readonly provenMs: number } | undefined> => {
    const provenMs = clockMs();
    const entry = await shared.get(aliveKey(self.node));
    return entry !== undefined && legible(entry, readLiveness)?.uid === self.uid
      ? { revision: entry.revision, provenMs }
      : undefined;
  };

  /** Writes the record in this node's name, if it is still that of `revision`. @throws SelvedgeError store */
  const establish = async (claim: Claim, revision: Revision | "absent", record?: EgressRecord) => {
    const proof = await prove();
    if (proof === undefined) return undefined;
    const { egress, address } = claim;
    const isOurs = record?.uid === self.uid;
    const value: EgressRecord = {
      name: egress.name,
      address,
      ...self,
      holdSeconds: egress.holdSeconds,
      sinceMs: isOurs ? record.sinceMs : options.nowMs(),
      writes: (record?.writes ?? 0) + 1,
    };
    const written = await shared.put(egressKey(address), JSON.stringify(value), { if: revision });
    if (written === undefined) return undefined;
    return { revision: written, alive: proof.revision, provenMs: proof.provenMs } satisfies Tenure;
  };

  /** Tells the kernel until when. @throws SelvedgeError kernel */
  const keep = async (claim: Claim): Promise<void> => {
    await turns(claim.address, async () => {
      const { held, address } = claim;
      const validSeconds = Math.floor((untilMs(claim) - clockMs()) / 1_000);
      if (held === undefined || validSeconds < 1) return;
      const fact = heldAddress(held.link, address, { validSeconds, announce: held.told < TELLINGS });
      held.told += 1;
      await kernel.apply({}, [{ do: "change", fact, was: fact }]);
    });
    // It may have been stopped between reading the clock and telling the kernel.
    if (clockMs() >= untilMs(claim)) await drop(claim, "no proof");
  };

  const hold = async (claim: Claim, tenure: Tenure, link: string): Promise<void> => {
    const { index, address } = claim;
    delete claim.vacancy;
    delete claim.standing;
    claim.held = { tenure, link, told: 0 };
    await keep(claim);
    await turns(address, async () => {
      if (claim.held !== undefined) await kernel.apply({}, [{ do: "add", fact: heldElement(index, address) }]);
    });
    if (claim.held === undefined) return;
    log({ event: "egress-held", name: claim.egress.name, address: claim.address, link });
    options.onChange(claim.index);
  };

  const drop = async (claim: Claim, why: string): Promise<void> => {
    const { index, address } = claim;
    const held = claim.held ?? claim.standing;
    if (held === undefined) return;
    delete claim.held;
    delete claim.standing;
    log({ event: "egress-dropped", name: claim.egress.name, address, why });
    options.onChange();
    await turns(address, () =>
      kernel.apply({}, [
        { do: "remove", fact: heldAddress(held.link, address, { validSeconds: 0, announce: false }) },
        { do: "remove", fact: heldElement(index, address) },
      ]),
    );
    // Connections would go on being translated to it.
    await kernel.flushConntrack([address]);
  };

  /** A candidate before it holds the address. @throws SelvedgeError store, kernel */
  const consider = async (claim: Claim, link: string, place: number): Promise<void> => {
    const { seen, egress } = claim;
    if (seen.record !== undefined && seen.record.uid !== self.uid)
      await drop(claim, `${seen.record.node ?? "nobody"} has it`);
    const vacancy = vacancyOf(claim.vacancy, seen, alive, self, clockMs());
    if (vacancy === undefined) delete claim.vacancy;
    else claim.vacancy = vacancy;
    if (vacancy === undefined || alive.get(self.node) !== self.uid) return;
    const isGoingOn = seen.record?.uid === self.uid && (await stands(claim, link));
    if (!isGoingOn && clockMs() < dueMs(vacancy, seen, { holdSeconds: egress.holdSeconds, place })) return;
    const tenure = await establish(claim, seen.revision as Revision | "absent", seen.record);
    if (tenure !== undefined) await hold(claim, tenure, link);
  };

  /** The kernel has it still: of a daemon before this one on the same node, whose time is not over. @throws SelvedgeError kernel */
  const stands = async ({ address }: Claim, link: string): Promise<boolean> =>
    (await kernel.look({}, [heldAddress(link, address, { validSeconds: 0, announce: false })])).length > 0;

  /** @throws SelvedgeError store, kernel */
  const extend = async (claim: Claim): Promise<void> => {
    const { held } = claim;
    if (held === undefined) return;
    const proof = await prove();
    const entry = await shared.get(egressKey(claim.address));
    const record = entry === undefined ? undefined : legible(entry, readEgress);
    if (claim.held !== held) return;
    if (proof === undefined) return;
    const isOurs = record?.uid === self.uid;
    if (isOurs && entry?.revision === held.tenure.revision && proof.revision === held.tenure.alive)
      claim.held = { ...held, tenure: { ...held.tenure, provenMs: proof.provenMs } };
    else if (isOurs && entry !== undefined) {
      const tenure = await establish(claim, entry.revision, record);
      if (tenure === undefined || claim.held !== held) return;
      claim.held = { ...held, tenure };
    } else return drop(claim, record?.node === undefined ? "its record is gone" : `${record.node} has it`);
    await keep(claim);
  };

  /** Somebody else is to hold it. Without proof that the kernel has it no more its time must be over first. @throws SelvedgeError store, kernel */
  const letGo = async (claim: Claim, why: string): Promise<void> => {
    const { held, seen, address } = claim;
    await drop(claim, why);
    if (seen.record?.uid !== self.uid) return;
    claim.vacancy = vacancyOf(claim.vacancy, seen, alive, self, clockMs()) ?? { revision: "", sinceMs: clockMs() };
    const { holdSeconds } = seen.record;
    if (held === undefined && clockMs() < dueMs(claim.vacancy, seen, { holdSeconds, place: 0 })) return;
    const { node: _, uid: __, ...rest } = seen.record;
    const value: EgressRecord = { ...rest, sinceMs: options.nowMs(), writes: rest.writes + 1 };
    await shared.put(egressKey(address), JSON.stringify(value), { if: seen.revision as Revision });
  };

  const each = async (work: (claim: Claim) => Promise<void>): Promise<void> => {
    for (const claim of claims) {
      try {
        await work(claim);
      } catch (error) {
        if (!isFailure(error)) throw error;
        log({ event: "cluster-failed", message: error.message });
      }
    }
  };

  /** What was seen has had a break. */
  const forgetVacancies = (): void => {
    for (const claim of claims) delete claim.vacancy;
  };

  const put = (entry: Entry): void => {
    if (entry.key.startsWith(KEYS.alive)) {
      const uid = legible(entry, readLiveness)?.uid;
      if (uid !== undefined) alive.set(entry.key.slice(KEYS.alive.length), uid);
    }
    const claim = byKey.get(entry.key);
    if (claim === undefined) return;
    const record = legible(entry, readEgress);
    claim.seen = { revision: entry.revision, ...(record === undefined ? {} : { record }) };
  };
  const remove = (key: string): void => {
    if (key.startsWith(KEYS.alive)) alive.delete(key.slice(KEYS.alive.length));
    const claim = byKey.get(key);
    if (claim !== undefined) claim.seen = { revision: "absent" };
  };

  return {
    holds: (address) => claims.some((claim) => claim.address === address && isHere(claim)),
    elements: () => claims.filter(isHere).map(({ index, address }) => heldElement(index, address)),
    async begin() {
      for (const claim of claims) {
        const link = linkOf(claim.egress);
        if (link !== undefined && (await stands(claim, link)))
          claim.standing = { link, untilMs: clockMs() + claim.egress.holdSeconds * 1_000 };
      }
    },
    heed(change: SharedChange) {
      if ("put" in change) put(change.put);
      else if ("remove" in change) remove(change.remove);
      else {
        const there = new Set(change.all.map(({ key }) => key));
        for (const key of [...byKey.keys(), ...[...alive.keys()].map(aliveKey)]) if (!there.has(key)) remove(key);
        for (const entry of change.all) put(entry);
        forgetVacancies();
      }
    },
    connection(now) {
      connected = now;
      if (!now) forgetVacancies();
    },
    tick: () =>
      each(async (claim) => {
        const link = linkOf(claim.egress);
        const place = placeAmong(self.node, claim.egress, alive.keys());
        if (link === undefined || place === undefined)
          return letGo(claim, place === undefined ? "the configuration" : "its link is not there");
        if (claim.held !== undefined) await extend(claim);
        else if (connected) await consider(claim, link, place);
      }),
    expire: () =>
      each(async (claim) => {
        const endMs = claim.held === undefined ? claim.standing?.untilMs : untilMs(claim);
        if (endMs !== undefined && clockMs() >= endMs) await drop(claim, "no proof");
      }),
  };
}

const isHere = ({ held, standing }: Claim): boolean => held !== undefined || standing !== undefined;

/** How often proof is sought, and how often is looked whether it is too old. */
const PROOF_MS = 1_000;
const EXPIRY_MS = 500;

/** Until the signal. What is held then stays for its time: a daemon that starts again in time goes on with it. */
export async function watchOver({ tick, expire }: Gateway, signal: AbortSignal): Promise<void> {
  const seeking = loop(tick, { everyMs: PROOF_MS, debounceMs: 0, signal });
  const expiring = loop(expire, { everyMs: EXPIRY_MS, debounceMs: 0, signal });
  await Promise.all([seeking.done, expiring.done]);
}

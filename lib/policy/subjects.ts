/** The pods of this node that policies speak of: with each the row that holds towards each class of peers. */
import type { Address } from "#lib/address.ts";
import type { ElementFact } from "#lib/state/fact.ts";
import { ANY_POD, type Numbers, numbers, OUTSIDE } from "./class-id.ts";
import { confinedElement, type LongRange, longRanges, pairElement, rowElements, selfElement } from "./elements.ts";
import type { Ledger } from "./ledger.ts";
import type { Direction, NamedPort, Policy } from "./objects.ts";
import { type PeerClass, type Program, portsAskedFor, program } from "./program.ts";
import type { Row } from "./row.ts";

/** What one attachment is held to. */
export interface Subject {
  readonly addresses: readonly Address[];
  readonly running: Partial<Record<Direction, Running>>;
}

/** A program and whom it holds for. */
interface Running {
  readonly key: string;
  readonly program: Program;
  readonly subjects: Set<Subject>;
  /** By class: the number of the row, where it is not the usual one. */
  readonly rows: Map<string, Row>;
}

export interface Subjects {
  /** Holds the attachment to these policies. */
  hold(subject: Subject, policies: readonly Policy[], ports: readonly NamedPort[]): void;
  release(subject: Subject): void;
  /** What stands for it, besides its class of peers. */
  elementsOf(subject: Subject): ElementFact[];
  came(peers: PeerClass): void;
  went(peers: PeerClass): void;
  /** Of the rows that stand. */
  longRanges(): LongRange[];
}

const DIRECTIONS = ["ingress", "egress"] as const;

export function subjects(elements: Ledger, classes: () => Iterable<PeerClass>): Subjects {
  const programs = new Map<string, Running>();
  const rows = new Map<string, { readonly row: Row; users: number }>();
  const ids: Numbers = numbers();
  /** Policies are values that are replaced, never changed. */
  const policyNumbers = new WeakMap<Policy, number>();
  let lastNumber = 0;
  const numberOf = (policy: Policy): number => {
    const number = policyNumbers.get(policy) ?? ++lastNumber;
    policyNumbers.set(policy, number);
    return number;
  };

  const use = (row: Row): void => {
    const known = rows.get(row.text);
    if (known !== undefined) known.users++;
    else {
      rows.set(row.text, { row, users: 1 });
      for (const fact of rowElements(ids.of(row.text), row)) elements.put(fact);
    }
  };
  const disuse = ({ text }: Row): void => {
    const known = rows.get(text);
    if (known === undefined || --known.users > 0) return;
    rows.delete(text);
    for (const fact of rowElements(ids.of(text), known.row)) elements.drop(fact);
    ids.forget(text);
  };

  /** Undefined where the class gets the usual row. */
  const unusual = ({ usual, isConcernedWith, rowFor }: Program, peers: PeerClass): Row | undefined => {
    if (!isConcernedWith(peers)) return undefined;
    const row = rowFor(peers);
    return row.text === (peers.isPod ? usual.pods : usual.outside).text ? undefined : row;
  };

  const start = (key: string, of: Program): Running => {
    const running: Running = { key, program: of, subjects: new Set(), rows: new Map() };
    for (const row of [of.usual.pods, of.usual.outside]) use(row);
    for (const peers of classes()) {
      const row = unusual(of, peers);
      if (row === undefined) continue;
      use(row);
      running.rows.set(peers.id, row);
    }
    programs.set(key, running);
    return running;
  };
  const stop = ({ key, program: { usual }, rows: own }: Running): void => {
    programs.delete(key);
    for (const row of [usual.pods, usual.outside, ...own.values()]) disuse(row);
  };

  const pairsOf = ({ program: { direction, usual }, rows: own }: Running, { addresses }: Subject) =>
    [[OUTSIDE, usual.outside] as const, [ANY_POD, usual.pods] as const, ...own].flatMap(([peers, row]) =>
      addresses.map((address) => pairElement(direction, address, peers, ids.of(row.text))),
    );

  const runningFor = (direction: Direction, policies: readonly Policy[], ports: readonly NamedPort[]) => {
    const about = policies.filter(({ rules }) => rules[direction] !== undefined);
    if (about.length === 0) return undefined;
    const numbersOf = about.map(numberOf).sort((a, b) => a - b);
    const key = `${direction} ${numbersOf.join()} ${portsAskedFor(direction, about, ports)}`;
    const known = programs.get(key);
    if (known !== undefined) return known;
    const made = program(direction, about, ports);
    return made && start(key, made);
  };

  const assign = (subject: Subject, direction: Direction, next: Running | undefined): void => {
    const was = subject.running[direction];
    if (was === next) return;
    const { addresses } = subject;
    if (next === undefined) {
      delete subject.running[direction];
      for (const address of addresses) elements.drop(confinedElement(direction, address));
    } else {
      subject.running[direction] = next;
      next.subjects.add(subject);
      for (const pair of pairsOf(next, subject)) elements.put(pair);
      for (const address of addresses) elements.put(confinedElement(direction, address));
    }
    if (was === undefined) return;
    was.subjects.delete(subject);
    const kept = new Set(next === undefined ? [] : [OUTSIDE, ANY_POD, ...next.rows.keys()]);
    for (const pair of pairsOf(was, subject)) if (!kept.has(pair.key[1] ?? "")) elements.drop(pair);
    if (was.subjects.size === 0) stop(was);
  };

  return {
    hold(subject, policies, ports) {
      for (const direction of DIRECTIONS) assign(subject, direction, runningFor(direction, policies, ports));
      const isHeld = DIRECTIONS.some((direction) => subject.running[direction] !== undefined);
      for (const address of subject.addresses)
        if (isHeld) elements.put(selfElement(address));
        else elements.drop(selfElement(address));
    },
    release(subject) {
      for (const direction of DIRECTIONS) assign(subject, direction, undefined);
      for (const address of subject.addresses) elements.drop(selfElement(address));
    },
    elementsOf(subject) {
      const { addresses } = subject;
      const own = DIRECTIONS.flatMap((direction) => {
        const running = subject.running[direction];
        if (running === undefined) return [];
        return [...addresses.map((address) => confinedElement(direction, address)), ...pairsOf(running, subject)];
      });
      return own.length === 0 ? [] : [...addresses.map(selfElement), ...own];
    },
    came(peers) {
      for (const running of programs.values()) {
        const row = unusual(running.program, peers);
        if (row === undefined) continue;
        use(row);
        running.rows.set(peers.id, row);
        for (const { addresses } of running.subjects)
          for (const address of addresses)
            elements.put(pairElement(running.program.direction, address, peers.id, ids.of(row.text)));
      }
    },
    went({ id }) {
      for (const running of programs.values()) {
        const row = running.rows.get(id);
        if (row === undefined) continue;
        running.rows.delete(id);
        for (const { addresses } of running.subjects)
          for (const address of addresses)
            elements.drop(pairElement(running.program.direction, address, id, ids.of(row.text)));
        disuse(row);
      }
    },
    longRanges: () => [...rows.values()].flatMap(({ row }) => longRanges(ids.of(row.text), row)),
  };
}

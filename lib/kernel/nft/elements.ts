/**
 * Elements of our sets and maps, each in microseconds whatever else is in the set. A change is one transaction.
 */
import { setImmediate as turn } from "node:timers/promises";
import { isFailure } from "#lib/errors.ts";
import type { ElementFact, TableFact } from "#lib/state/fact.ts";
import { SETS, type SetShape, setShape } from "#lib/state/sets.ts";
import { ERRNO, refused } from "#native/libc.ts";
import { NLM_F, type Request } from "../netlink/message.ts";
import type { NetlinkSocket } from "../netlink/socket.ts";
import type { BatchSocket, Refusal } from "./batch.ts";
import type { Generations } from "./generation.ts";
import { decodeParts, encodeParts } from "./parts.ts";
import { elements as layout, messageType, NFPROTO, NFT_MSG } from "./wire.ts";

export interface Elements {
  /** Those that are there, each with the value that it has. @throws SelvedgeError kernel */
  look(facts: readonly ElementFact[]): ElementFact[];
  /**
   * All or nothing. What is to be added replaces what stands under its key; what is to be removed may be gone.
   * @throws SelvedgeError kernel: ENOENT when the set to add to is not there
   */
  change(add: readonly ElementFact[], remove: readonly ElementFact[]): void;
  /** Everything in the table's sets that are ours, as of one moment. @throws SelvedgeError kernel */
  inTable(table: TableFact): ElementFact[];
  /** Everything in our sets, in parts, between which others have their turn. @throws SelvedgeError kernel */
  owned(): AsyncIterable<readonly ElementFact[]>;
}

export interface ElementsOptions {
  readonly socket: NetlinkSocket;
  /** Another one in the same namespace, for a list between whose parts others ask for something. */
  readonly open: () => NetlinkSocket;
  readonly batches: BatchSocket;
  readonly rules: Generations;
}

/** An attribute holds less than 64 KiB; the longest element with its headers takes 120 bytes. */
const PER_MESSAGE = 400;
/** A transaction must fit the send buffer (212,992 bytes by default). */
const MESSAGES_PER_BATCH = 4;
/** The kernel takes 4 KiB for each answer; together they must fit the receive buffer. */
const LOOKS_AT_ONCE = 24;
/** Somebody may remove what was just looked up; each try sees a newer state. */
const MAX_TRIES = 4;

interface Part extends Request {
  readonly facts: readonly ElementFact[];
  readonly removes: boolean;
}

/** `destroys`: the kernel has DESTROYSETELEM; without, what is to be removed is looked up first. */
export function elementsOf({ socket, open, batches, rules }: ElementsOptions, destroys: boolean): Elements {
  const look = (facts: readonly ElementFact[]): ElementFact[] => {
    const found: ElementFact[] = [];
    for (let i = 0; i < facts.length; i += LOOKS_AT_ONCE) {
      const some = facts.slice(i, i + LOOKS_AT_ONCE);
      socket.exchange(some.map(lookup)).forEach(({ request, messages, error }, n) => {
        if (error !== undefined && error.code !== ERRNO.ENOENT) throw refused(request.what, error.code, error.text);
        const fact = some[n];
        const [message] = messages;
        if (fact !== undefined && message !== undefined) found.push(withValue(fact, message.body));
      });
    }
    return found;
  };

  const commit = (parts: readonly Part[]): readonly Refusal[] =>
    parts.length === 0 ? [] : rules.during(() => batches.commit(parts));

  const transaction = (add: readonly ElementFact[], remove: readonly ElementFact[]): void => {
    let leaving = remove;
    for (let tries = 1; ; tries++) {
      const replaced = add.filter((fact) => fact.value !== undefined);
      const clear = destroys ? [...leaving, ...replaced] : look([...leaving, ...replaced]);
      const removing = destroys ? NFT_MSG.DESTROYSETELEM : NFT_MSG.DELSETELEM;
      const parts = [...partsOf(removing, clear), ...partsOf(NFT_MSG.NEWSETELEM, add)];
      const refusals = commit(parts);
      const [first] = refusals;
      if (first === undefined) return;
      // A set that is gone has no elements to remove; one that is to be added to must be there.
      const gone = parts.filter((part) => part.removes && refusals.some(({ request }) => request === part));
      const other = refusals.find(({ request, error }) => !isRemoval(request) || error.code !== ERRNO.ENOENT);
      if (other !== undefined || tries === MAX_TRIES) {
        const { request, error } = other ?? first;
        throw refused(request.what, error.code, error.text);
      }
      if (destroys) leaving = leaving.filter((fact) => !gone.some(({ facts }) => facts.includes(fact)));
    }
  };

  return {
    look,
    change(add, remove) {
      const step = PER_MESSAGE * MESSAGES_PER_BATCH;
      for (let i = 0; i < Math.max(add.length, remove.length); i += step)
        transaction(add.slice(i, i + step), remove.slice(i, i + step));
    },
    inTable: ({ family, name }) =>
      SETS.filter((shape) => shape.family === family && shape.table === name).flatMap((shape) => dump(socket, shape)),
    async *owned() {
      const lists = open();
      try {
        for (const shape of SETS)
          for (const part of listed(lists, shape)) {
            yield part;
            await turn();
          }
      } finally {
        lists.close();
      }
    },
  };
}

const isRemoval = (request: Request): boolean => "removes" in request && request.removes === true;

/** Whether DESTROYSETELEM (since 6.3) is known: for a table that nobody has, one that knows it finds no table. */
export function kernelDestroys(batches: BatchSocket): boolean {
  const body = layout.body({ family: NFPROTO.inet }, { table: "selvedge-probe", set: "none", elements: [] });
  const type = messageType(NFT_MSG.DESTROYSETELEM);
  const [refusal] = batches.commit([{ what: "probe destroy element", type, flags: 0, body }]);
  return refusal?.error.code === ERRNO.ENOENT;
}

/** @throws TypeError for a set that is none of ours: facts name only those that lib/state/sets.ts declares */
function shapeOf(fact: ElementFact): SetShape {
  const shape = setShape(fact.family, fact.table, fact.set);
  if (shape === undefined) throw new TypeError(`no set ${fact.family} ${fact.table} ${fact.set}`);
  return shape;
}

const keyOf = (fact: ElementFact) => ({ key: { value: encodeParts(shapeOf(fact).key, fact.key) } });

function lookup(fact: ElementFact): Request {
  const { family, table, set } = fact;
  const body = layout.body({ family: NFPROTO[family] }, { table, set, elements: [keyOf(fact)] });
  return { what: `look up element ${set}`, type: messageType(NFT_MSG.GETSETELEM), flags: 0, body };
}

/** One message for each set, or several where they are many. */
function partsOf(message: number, facts: readonly ElementFact[]): Part[] {
  const adds = message === NFT_MSG.NEWSETELEM;
  const bySet = Map.groupBy(facts, shapeOf);
  return [...bySet].flatMap(([{ family, table, name, value }, members]) => {
    const parts: Part[] = [];
    for (let i = 0; i < members.length; i += PER_MESSAGE) {
      const some = members.slice(i, i + PER_MESSAGE);
      const elements = some.map((fact) =>
        adds && value !== undefined
          ? { ...keyOf(fact), data: { value: encodeParts(value, fact.value ?? []) } }
          : keyOf(fact),
      );
      parts.push({
        what: `${adds ? "add" : "remove"} elements ${family} ${table} ${name}`,
        type: messageType(message),
        flags: adds ? NLM_F.CREATE : 0,
        body: layout.body({ family: NFPROTO[family] }, { table, set: name, elements }),
        facts: some,
        removes: !adds,
      });
    }
    return parts;
  });
}

/** The key is the one that was asked for; only the value needs reading. */
function withValue(fact: ElementFact, body: Uint8Array): ElementFact {
  const shape = shapeOf(fact);
  const { value: _, ...asked } = fact;
  const value = shape.value === undefined ? undefined : read(body, shape)[0]?.value;
  return value === undefined ? asked : { ...asked, value };
}

function read(body: Uint8Array, { family, table, name, key, value }: SetShape): ElementFact[] {
  return (layout.read(body).attrs.elements ?? []).flatMap((element): ElementFact[] => {
    if (element.key?.value === undefined) return [];
    const parts = decodeParts(key, element.key.value);
    const fact: ElementFact = { type: "element", at: "host", family, table, set: name, key: parts };
    if (value === undefined || element.data?.value === undefined) return [fact];
    return [{ ...fact, value: decodeParts(value, element.data.value) }];
  });
}

function dumpOf({ family, table, name }: SetShape): Request {
  const body = layout.body({ family: NFPROTO[family] }, { table, set: name });
  return { what: `list elements ${name}`, type: messageType(NFT_MSG.GETSETELEM), flags: 0, body };
}

/** Of a set that is not there nothing. */
function dump(socket: NetlinkSocket, shape: SetShape): ElementFact[] {
  try {
    return socket.dump(dumpOf(shape)).flatMap(({ body }) => read(body, shape));
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** The same, as it comes. */
function* listed(socket: NetlinkSocket, shape: SetShape): Generator<ElementFact[]> {
  try {
    for (const part of socket.list(dumpOf(shape))) yield part.flatMap(({ body }) => read(body, shape));
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

const isAbsent = (error: unknown): boolean => isFailure(error, "kernel") && error.failure.errno === ERRNO.ENOENT;

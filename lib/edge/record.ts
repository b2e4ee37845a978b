/** What is remembered of a router, where all nodes find it, and how it is read again with care. */
import { absent, type Found, fields, integer, list, oneOf, optional, text } from "#lib/parse.ts";
import type { Step } from "./change.ts";
import type { Line } from "./path.ts";
import { type OwnedPiece, type Ownership, ownership } from "./piece.ts";

/** `edge/<router>/state`: written before a push and after it. */
export interface RouterRecord {
  /** Of the last push that was begun; 0: none. */
  readonly revision: number;
  /** What is ours, and what may be: what a push that was begun sets, and what it removed until that is saved. */
  readonly owned: Ownership;
  /** The router boots with something else than it has now. */
  readonly isUnsaved: boolean;
  /** When a push began whose end is not known: it may still be going on. */
  readonly unknownMs?: number;
  /** Pieces that stay as somebody else has changed them, until a person says otherwise. */
  readonly drifted?: readonly Line[];
}

export const NO_RECORD: RouterRecord = { revision: 0, owned: new Map(), isUnsaved: false };

const RESULTS = ["begun", "done", "failed", "refused", "unknown"] as const;
export type PushResult = (typeof RESULTS)[number];

/** `edge/<router>/history/<revision>` */
export interface Push {
  readonly revision: number;
  readonly atMs: number;
  readonly tookMs: number;
  /** Node that made it. */
  readonly by: string;
  readonly why: string;
  readonly steps: readonly Step[];
  readonly result: PushResult;
  /** The router's words where it did not do it. */
  readonly message: string;
  /** The same was tried so often, the last time `atMs`; absent: once. */
  readonly tries?: number;
}

/** `edge/<router>/pause`: nothing is pushed while it is there. */
export interface Pause {
  readonly by: string;
  readonly why: string;
  readonly atMs: number;
  /** What came after this revision is still to be undone, by whoever writes to the router; absent: nothing is. */
  readonly backTo?: number;
}

/** Lines are written without what they begin with, `at`: a value of etcd has room for 1.5 MB, which is some 20,000 of them. */
export const writeRecord = ({ owned, ...rest }: RouterRecord): string =>
  JSON.stringify({
    ...rest,
    owned: [...owned.values()].map(({ lines, ...place }) => ({ ...place, lines: lines.map(endAfter(place.at)) })),
  });

export const writePush = ({ steps, ...rest }: Push): string =>
  JSON.stringify({
    ...rest,
    steps: steps.map(({ removed, added, ...place }) => ({
      ...place,
      removed: removed.map(endAfter(place.at)),
      added: added.map(endAfter(place.at)),
    })),
  });

const endAfter =
  (at: Line) =>
  (line: Line): string =>
    line.slice(at.length + 1);

/** @throws SelvedgeError config-invalid */
export function readRecord(found: Found): RouterRecord {
  const at = fields(found);
  const unknownMs = optional(at("unknownMs"), (each) => integer(each, MS));
  const drifted = optional(at("drifted"), (each) => list(each).map(lineIn));
  return {
    revision: integer(at("revision"), { min: 0, max: Number.MAX_SAFE_INTEGER }),
    owned: ownership(list(at("owned")).map(ownedIn)),
    isUnsaved: at("isUnsaved").value === true,
    ...(unknownMs === undefined ? {} : { unknownMs }),
    ...(drifted === undefined ? {} : { drifted }),
  };
}

/** @throws SelvedgeError config-invalid */
export function readPush(found: Found): Push {
  const at = fields(found);
  const tries = optional(at("tries"), (each) => integer(each, MS));
  return {
    revision: integer(at("revision"), { min: 1, max: Number.MAX_SAFE_INTEGER }),
    atMs: integer(at("atMs"), MS),
    tookMs: integer(at("tookMs"), MS),
    by: text(at("by")),
    why: text(at("why")),
    steps: list(at("steps")).map(stepIn),
    result: oneOf(at("result"), RESULTS),
    message: text(at("message"), { or: "" }),
    ...(tries === undefined ? {} : { tries }),
  };
}

/** @throws SelvedgeError config-invalid */
export function readPause(found: Found): Pause {
  const at = fields(found);
  const backTo = optional(at("backTo"), (each) => integer(each, MS));
  return {
    by: text(at("by")),
    why: text(at("why")),
    atMs: integer(at("atMs"), MS),
    ...(backTo === undefined ? {} : { backTo }),
  };
}

const MS = { min: 0, max: Number.MAX_SAFE_INTEGER };
const lineIn = (found: Found): Line => text(found) as Line;
const linesIn = (at: Line, found: Found): Line[] =>
  list(found).map((each) => (text(each) === "" ? at : (`${at} ${text(each)}` as Line)));

function placeIn(found: Found): { readonly at: Line; readonly within?: Line } {
  const at = fields(found);
  return { at: lineIn(at("at")), ...(absent(at("within")) ? {} : { within: lineIn(at("within")) }) };
}
function ownedIn(found: Found): OwnedPiece {
  const place = placeIn(found);
  return { ...place, lines: linesIn(place.at, fields(found)("lines")) };
}

function stepIn(found: Found): Step {
  const place = placeIn(found);
  const at = fields(found);
  return { ...place, removed: linesIn(place.at, at("removed")), added: linesIn(place.at, at("added")) };
}

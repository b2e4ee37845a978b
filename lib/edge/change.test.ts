import { expect, test } from "@jest/globals";
import { fc } from "../../test/support/property.ts";
import { afterwards, change, isNothing } from "./change.ts";
import { isBelow, type Line, lineOf, type Path, pathOf } from "./path.ts";
import { type OwnedPiece, ownership, type Piece } from "./piece.ts";
import { cut, endsOf, grow, linesOf, type Tree } from "./tree.ts";

const path = (text: string): Path => pathOf(text as Line);
const tree = (lines: readonly string[]): Tree => {
  const root: Tree = new Map();
  for (const line of lines) grow(root, path(line));
  return root;
};
const piece = (
  at: string,
  below: readonly string[],
  more: { within?: string; needs?: string; stays?: string } = {},
): Piece => ({
  at: path(at),
  paths: below.map((each) => path(`${at} ${each}`)),
  ...(more.within === undefined ? {} : { within: path(more.within) }),
  ...(more.needs === undefined ? {} : { needs: [path(more.needs)] }),
  ...(more.stays === undefined ? {} : { stays: more.stays }),
});
const ours = (at: string, below: readonly string[], within?: string): OwnedPiece => ({
  at: at as Line,
  ...(within === undefined ? {} : { within: within as Line }),
  lines: below.map((each) => `${at} ${each}` as Line),
});

const ROUTE = "protocols static route 10.66.0.0/16";
const BGP = "protocols bgp";

interface Case {
  readonly name: string;
  readonly want: readonly Piece[];
  readonly have: readonly string[];
  readonly owned: readonly OwnedPiece[];
  readonly deletes?: readonly string[];
  readonly sets?: readonly string[];
  readonly conflicts?: readonly string[];
  readonly intruders?: readonly string[];
}

const WEB = "firewall group address-group WEB";
const CHAIN = "firewall ipv4 name SELVEDGE";

const CASES: readonly Case[] = [
  {
    name: "what stays as it is, and what needs it",
    want: [piece(WEB, [], { stays: "is too large" }), piece(CHAIN, ["default-action drop"], { needs: WEB })],
    have: [`${WEB} address 10.66.0.5`],
    owned: [ours(WEB, ["address 10.66.0.5"])],
    sets: [`${CHAIN} default-action drop`],
    conflicts: [`${WEB}: is too large`],
  },
  {
    name: "what is not there for now, and the node above it that is not taken empty",
    want: [piece(`${BGP} neighbor 192.0.2.1`, [], { within: BGP })],
    have: [`${BGP} neighbor 192.0.2.1 remote-as 65001`],
    owned: [ours(`${BGP} neighbor 192.0.2.1`, ["remote-as 65001"], BGP)],
    deletes: [BGP],
  },
  {
    name: "what would stay as it is was never there, and what needs it waits",
    want: [piece(WEB, [], { stays: "is too large" }), piece(CHAIN, ["default-action drop"], { needs: WEB })],
    have: [],
    owned: [],
    conflicts: [`${WEB}: is too large`, `${CHAIN} needs ${WEB}`],
  },
  { name: "nothing", want: [], have: [], owned: [] },
  {
    name: "a new route",
    want: [piece(ROUTE, ["next-hop 192.0.2.1"])],
    have: ["protocols static route 10.0.0.0/8 blackhole"],
    owned: [],
    sets: [`${ROUTE} next-hop 192.0.2.1`],
  },
  {
    name: "what is there already, whoever set it",
    want: [piece(ROUTE, ["next-hop 192.0.2.1"])],
    have: [`${ROUTE} next-hop 192.0.2.1`],
    owned: [],
  },
  {
    name: "another next hop",
    want: [piece(ROUTE, ["next-hop 192.0.2.2"])],
    have: [`${ROUTE} next-hop 192.0.2.1`],
    owned: [ours(ROUTE, ["next-hop 192.0.2.1"])],
    deletes: [ROUTE],
    sets: [`${ROUTE} next-hop 192.0.2.2`],
  },
  {
    name: "one next hop less: its node, not its leaves",
    want: [piece(ROUTE, ["next-hop 192.0.2.2 distance 20"])],
    have: [1, 2].flatMap((n) => ["distance 20", "bfd"].map((leaf) => `${ROUTE} next-hop 192.0.2.${n} ${leaf}`)),
    owned: [
      ours(
        ROUTE,
        [1, 2].flatMap((n) => ["distance 20", "bfd"].map((leaf) => `next-hop 192.0.2.${n} ${leaf}`)),
      ),
    ],
    deletes: [`${ROUTE} next-hop 192.0.2.1`, `${ROUTE} next-hop 192.0.2.2 bfd`],
  },
  {
    name: "a route that is wanted no more goes as a whole; the operator's stays",
    want: [],
    have: [`${ROUTE} next-hop 192.0.2.1 distance 20`, "protocols static route 10.0.0.0/8 blackhole"],
    owned: [ours(ROUTE, ["next-hop 192.0.2.1 distance 20"])],
    deletes: [ROUTE],
  },
  {
    name: "what the operator put into a piece of ours stays, and the rest of it goes",
    want: [],
    have: [`${ROUTE} next-hop 192.0.2.1`, `${ROUTE} description mine`],
    owned: [ours(ROUTE, ["next-hop 192.0.2.1"])],
    deletes: [`${ROUTE} next-hop`],
  },
  {
    name: "the same while it is wanted",
    want: [piece(ROUTE, ["next-hop 192.0.2.1"])],
    have: [`${ROUTE} next-hop 192.0.2.1`, `${ROUTE} description mine`],
    owned: [ours(ROUTE, ["next-hop 192.0.2.1"])],
    intruders: [`${ROUTE} description mine`],
  },
  {
    name: "the operator has another value in a piece of which we have nothing",
    want: [piece(ROUTE, ["next-hop 192.0.2.1"])],
    have: [`${ROUTE} blackhole`],
    owned: [],
    conflicts: [`${ROUTE}: ${ROUTE} blackhole`],
  },
  {
    name: "the operator has replaced what we had",
    want: [piece(ROUTE, ["next-hop 192.0.2.1"])],
    have: [`${ROUTE} blackhole`],
    owned: [ours(ROUTE, ["next-hop 192.0.2.1"])],
    conflicts: [`${ROUTE}: ${ROUTE} blackhole`],
  },
  {
    name: "the router is another AS: nothing that needs it",
    want: [
      piece(`${BGP} system-as`, ["65000"], { within: BGP }),
      piece(`${BGP} peer-group SELVEDGE`, ["remote-as 65001"], { within: BGP, needs: `${BGP} system-as` }),
    ],
    have: [`${BGP} system-as 64999`],
    owned: [],
    conflicts: [`${BGP} system-as: ${BGP} system-as 64999`, `${BGP} peer-group SELVEDGE needs ${BGP} system-as`],
  },
  {
    name: "the last of us leaves no empty `protocols bgp`",
    want: [],
    have: [`${BGP} system-as 65000`, `${BGP} neighbor 192.0.2.1 peer-group SELVEDGE`],
    owned: [ours(`${BGP} system-as`, ["65000"], BGP), ours(`${BGP} neighbor 192.0.2.1`, ["peer-group SELVEDGE"], BGP)],
    deletes: [BGP],
  },
  {
    name: "the operator's neighbour keeps it",
    want: [],
    have: [`${BGP} system-as 65000`, `${BGP} neighbor 192.0.2.9 remote-as 64999`],
    owned: [ours(`${BGP} system-as`, ["65000"], BGP)],
    deletes: [`${BGP} system-as`],
  },
  {
    name: "what is a node now was a leaf of ours before",
    want: [piece(ROUTE, ["next-hop 192.0.2.1 distance 20"])],
    have: [`${ROUTE} next-hop 192.0.2.1`],
    owned: [ours(ROUTE, ["next-hop 192.0.2.1"])],
    deletes: [ROUTE],
    sets: [`${ROUTE} next-hop 192.0.2.1 distance 20`],
  },
];

test.each(CASES)("$name", ({ want, have, owned, deletes = [], sets = [], conflicts = [], intruders = [] }) => {
  const found = change(want, tree(have), ownership(owned));
  expect(found.deletes.map(lineOf)).toEqual(deletes);
  expect(found.sets.map(lineOf)).toEqual(sets);
  expect(
    found.conflicts.map(({ at, foreign, needs, stays }) =>
      needs === undefined ? `${at}: ${stays ?? foreign.join(", ")}` : `${at} needs ${needs}`,
    ),
  ).toEqual(conflicts);
  expect(found.intruders).toEqual(intruders);
});
test("the table has cases", () => expect(CASES.length).toBeGreaterThan(0));

/** A small world, so that what is wanted, there, ours and the operator's meet often. */
const AT = ["a b x", "a b y", "a c"];
const BELOW = ["p", "p q", "p r", "s t 1", "s t 2"];
const some = fc.subarray(BELOW);
const pieces = fc.record({ "a b x": some, "a b y": some, "a c": some });

test("what is ours becomes what is wanted, the operator's stays, and the second time nothing is to do", () =>
  fc.assert(
    fc.property(pieces, pieces, pieces, pieces, (want, mine, theirs, more) => {
      const of = (each: typeof want): string[] =>
        AT.flatMap((at) => each[at as keyof typeof each].map((below) => `${at} ${below}`));
      const wanted = AT.filter((at) => want[at as keyof typeof want].length > 0).map((at) =>
        piece(at, want[at as keyof typeof want], { within: "a b" }),
      );
      const have = tree([...of(mine), ...of(theirs), "z"]);
      const owned = ownership(
        AT.map((at) =>
          ours(
            at,
            [...mine[at as keyof typeof mine], ...more[at as keyof typeof more]],
            at === "a c" ? undefined : "a b",
          ),
        ),
      );
      const isOurs = (line: Line) => [...owned.values()].some(({ lines }) => lines.includes(line));
      // What is empty above a line of ours is nobody's.
      const isAbove = (end: Path) =>
        [...owned.values()].some(({ lines }) => lines.some((line) => isBelow(pathOf(line), end)));
      const foreign = [...endsOf(have, [])].filter((end) => !isOurs(lineOf(end)) && !isAbove(end));
      const found = change(wanted, have, owned);
      for (const each of found.deletes) {
        expect(cut(have, each)).toBe(true);
      }
      for (const each of found.sets) grow(have, each);
      const lines = linesOf(have);
      for (const end of foreign) expect([...endsOf(have, [])].some((now) => isBelow(now, end))).toBe(true);
      const refused = new Set(found.conflicts.map(({ at }) => at));
      for (const each of wanted.filter(({ at }) => !refused.has(lineOf(at))))
        for (const end of each.paths)
          expect(lines.some((line) => line === lineOf(end) || line.startsWith(`${lineOf(end)} `))).toBe(true);
      expect(isNothing(change(wanted, have, afterwards(owned, found)))).toBe(true);
    }),
    { numRuns: 2_000 },
  ));

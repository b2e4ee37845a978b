/** What every router does as far as Selvedge relies on it, as cases that any test can run against one that holds nothing of theirs. */
import { isDeepStrictEqual } from "node:util";
import { type Line, type Path, pathOf } from "#lib/edge/path.ts";
import { linesOf } from "#lib/edge/tree.ts";
import { isFailure, type RouterTrouble } from "#lib/errors.ts";
import type { Command, Vyos } from "./vyos.ts";

/** A route that nobody else has (RFC 5737), and what the cases leave behind nowhere. */
const ROUTE = "protocols static route 203.0.113.0/25";
const OTHER = "protocols static route 203.0.113.128/25";
const LIST = "policy prefix-list SELVEDGE-CONTRACT";

const set = (line: string): Command => ({ op: "set", path: pathOf(line as Line) });
const remove = (line: string): Command => ({ op: "delete", path: pathOf(line as Line) });
const at = (line: string): Path => pathOf(line as Line);

async function below(router: Vyos, section: string, of: string): Promise<string[]> {
  const lines = linesOf(await router.read([section])).map((line) => `${section} ${line}`);
  return lines.filter((line) => line.startsWith(of));
}

function equal(found: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(found, expected))
    throw new Error(`found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
}

async function refused(work: Promise<unknown>, ...whys: readonly RouterTrouble[]): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isFailure(error, "router")) throw error;
    if (whys.includes(error.failure.why)) return;
    throw new Error(`${error.failure.why} (${error.message}), expected ${whys.join(" or ")}`);
  }
  throw new Error(`it was done, expected ${whys.join(" or ")}`);
}

export interface ContractCase {
  readonly name: string;
  run(router: Vyos): Promise<void>;
}

export const CONTRACT: readonly ContractCase[] = [
  {
    name: "tells its version",
    run: async (router) => equal(/\d/.test(await router.version()), true),
  },
  {
    name: "an empty node is empty",
    run: async (router) => equal(await below(router, "policy", LIST), []),
  },
  {
    name: "sets and deletes in one commit; setting again and deleting what is gone succeed",
    async run(router) {
      await router.configure([set(`${ROUTE} blackhole distance 20`), set(`${ROUTE} description 'two words'`)]);
      equal((await below(router, "protocols", ROUTE)).toSorted(), [
        `${ROUTE} blackhole distance 20`,
        `${ROUTE} description 'two words'`,
      ]);
      await router.configure([set(`${ROUTE} blackhole distance 20`), remove(`${OTHER} blackhole`)]);
      await router.configure([remove(ROUTE), set(`${OTHER} next-hop 192.0.2.1`), set(`${OTHER} next-hop 192.0.2.2`)]);
      equal(await below(router, "protocols", "protocols static route 203.0.113."), [
        `${OTHER} next-hop 192.0.2.1`,
        `${OTHER} next-hop 192.0.2.2`,
      ]);
      await router.configure([remove(OTHER)]);
      equal(await below(router, "protocols", "protocols static route 203.0.113."), []);
    },
  },
  {
    name: "a commit that fails keeps the parts that did not",
    async run(router) {
      await refused(
        router.configure([
          set(`${ROUTE} blackhole`),
          set(`${LIST} rule 10 action permit`),
          set(`${LIST} rule 10 prefix 203.0.113.0/24`),
          set("protocols bgp peer-group SELVEDGE-CONTRACT description x"),
        ]),
        "failed",
      );
      equal(await below(router, "protocols", ROUTE), [`${ROUTE} blackhole`]);
      equal(await below(router, "policy", LIST), [
        `${LIST} rule 10 action permit`,
        `${LIST} rule 10 prefix 203.0.113.0/24`,
      ]);
      equal(await below(router, "protocols", "protocols bgp peer-group SELVEDGE-CONTRACT"), []);
      await router.configure([remove(ROUTE), remove(LIST)]);
      equal(await below(router, "policy", LIST), []);
    },
  },
  { name: "saves", run: (router) => router.save() },
];

/** What only a router with a grammar refuses. */
export const REFUSALS: readonly ContractCase[] = [
  {
    name: "a path that there is not is refused, and nothing of the rest is done",
    async run(router) {
      await refused(
        router.configure([set(`${ROUTE} blackhole`), set("protocols static rout 10.0.0.0/8 blackhole")]),
        "refused",
      );
      equal(await below(router, "protocols", ROUTE), []);
    },
  },
  {
    name: "so is a value",
    async run(router) {
      await refused(router.configure([set("protocols static route 203.0.113.1/25 blackhole")]), "refused");
      await refused(router.configure([{ op: "set", path: [...at(ROUTE), "description"] }]), "refused");
    },
  },
];

/** What a router does that takes commits back (1.5), or would restart for it unless its `commit-confirm action` is `reload`. */
export const CONFIRMS: readonly ContractCase[] = [
  {
    name: "one commit waits to be confirmed at a time: another is made, and an error",
    async run(router) {
      await router.configure([set(`${ROUTE} blackhole`)], { confirmMinutes: 5 });
      await refused(router.configure([set(`${OTHER} blackhole`)], { confirmMinutes: 5 }), "failed");
      equal(await below(router, "protocols", OTHER), [`${OTHER} blackhole`]);
      await router.confirm();
      await refused(router.confirm(), "refused", "failed");
      await router.configure([remove(ROUTE), remove(OTHER)]);
    },
  },
];

/** The nftables half of the kernel: tables by text, elements by key, and what others do to them. */
import type { Op } from "#lib/state/diff.ts";
import type { ElementFact, Fact, OffloadFact, TableFact } from "#lib/state/fact.ts";
import { runNft } from "#native/libnftables.ts";
import { NETLINK_NETFILTER } from "#native/socket.ts";
import { netlinkSocket } from "../netlink/socket.ts";
import { batchSocket } from "./batch.ts";
import { elementsOf, kernelDestroys } from "./elements.ts";
import { generations } from "./generation.ts";
import { offloadOf } from "./offload.ts";
import { tablesOf } from "./tables.ts";
import { watchTables } from "./watch.ts";

export type NftFact = TableFact | ElementFact | OffloadFact;

export interface Nftables extends Disposable {
  /** What stands of `facts`; those of other types are passed over. @throws SelvedgeError kernel */
  look(facts: readonly Fact[]): NftFact[];
  /** Operations on other types are passed over. Tables come before what is added to them. @throws SelvedgeError kernel */
  apply(ops: readonly Op[]): void;
  /** What is done when the links are there: those of the flowtable. Others are passed over. @throws SelvedgeError kernel */
  applyToLinks(ops: readonly Op[]): void;
  /** Our tables that exist, and what they offload. @throws SelvedgeError kernel */
  owned(): NftFact[];
  /** Everything in our sets. @throws SelvedgeError kernel */
  elements(): AsyncIterable<readonly ElementFact[]>;
  /** Calls back when somebody else changed our tables, or may have. Ends with the signal. */
  watch(onChange: () => void, signal: AbortSignal): Promise<void>;
}

export interface NftablesOptions {
  /** Descriptor of the namespace; absent for the process's own. */
  readonly netns?: number | undefined;
  /** False does without DESTROYSETELEM though the kernel has it. */
  readonly destroys?: boolean;
}

/** @throws SelvedgeError kernel */
export function openNftables({ netns, destroys }: NftablesOptions = {}): Nftables {
  const open = () => netlinkSocket(NETLINK_NETFILTER, netns);
  const socket = open();
  const batches = batchSocket(netns);
  const rules = generations(socket);
  const elements = elementsOf({ socket, open, batches, rules }, destroys ?? kernelDestroys(batches));
  const offload = offloadOf(socket, rules, (text) => runNft(text, netns));
  const tables = tablesOf(socket, rules, elements, (text) => runNft(text, netns));

  const lookAtTables = (facts: readonly TableFact[]): TableFact[] =>
    facts.flatMap((fact) => {
      const found = tables.look(fact);
      return found === undefined ? [] : [found];
    });

  const lookAtOffload = (facts: readonly OffloadFact[]): OffloadFact[] => {
    if (facts.length === 0) return [];
    const links = new Set(offload.owned().map(({ link }) => link));
    return facts.filter(({ link }) => links.has(link));
  };

  return {
    look: (facts) => [
      ...lookAtTables(facts.filter(isTable)),
      ...elements.look(facts.filter(isElement)),
      ...lookAtOffload(facts.filter(isOffload)),
    ],
    apply(ops) {
      const kept = ops.filter((op) => op.do !== "remove").map((op) => op.fact);
      const gone = ops.filter((op) => op.do === "remove").map((op) => op.fact);
      const [add, remove] = [kept.filter(isElement), gone.filter(isElement)];
      for (const fact of kept.filter(isTable)) tables.ensure(fact);
      elements.change(add, remove);
      for (const fact of gone.filter(isTable)) tables.remove(fact);
    },
    applyToLinks(ops) {
      const facts = (isGone: boolean) =>
        ops.flatMap(({ do: verb, fact }) => ((verb === "remove") === isGone && isOffload(fact) ? [fact] : []));
      offload.change(facts(false), facts(true));
    },
    owned: () => [...lookAtTables(OWN_TABLES), ...offload.owned()],
    elements: elements.owned,
    watch: (onChange, signal) => watchTables({ rules, netns }, onChange, signal),
    [Symbol.dispose]() {
      socket.close();
      batches.close();
    },
  };
}

const OWN_TABLES: readonly TableFact[] = [
  { type: "table", at: "host", family: "inet", name: "selvedge", text: "" },
  { type: "table", at: "host", family: "bridge", name: "selvedge", text: "" },
];

const isTable = (fact: Fact): fact is TableFact => fact.type === "table";
const isElement = (fact: Fact): fact is ElementFact => fact.type === "element";
const isOffload = (fact: Fact): fact is OffloadFact => fact.type === "offload";

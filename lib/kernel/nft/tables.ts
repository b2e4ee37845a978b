/**
 * Our tables as the texts that make them. The kernel does not give a text back, so what a text made is remembered as a
 * digest: as long as the table has that digest, it is that text.
 */
import type { TableFact } from "#lib/state/fact.ts";
import type { NetlinkSocket } from "../netlink/socket.ts";
import type { Elements } from "./elements.ts";
import type { Generations } from "./generation.ts";
import { type Member, namedIn, skeleton } from "./skeleton.ts";

export interface Tables {
  /** With another text when it is not, or not known to be, what the fact's text makes. @throws SelvedgeError kernel */
  look(fact: TableFact): TableFact | undefined;
  /** Elements of our sets stay; chains, sets and flowtables that the text does not name go. @throws SelvedgeError kernel */
  ensure(fact: TableFact): void;
  remove(fact: TableFact): void;
}

interface Known {
  readonly text: string;
  readonly digest: string;
  /** Generation at which the digest was last seen to hold. */
  seenAt: number;
}

export const UNKNOWN_TEXT = "# not as Selvedge made it";

/** `runNft` applies a text as one transaction. */
export function tablesOf(
  socket: NetlinkSocket,
  rules: Generations,
  elements: Elements,
  runNft: (text: string) => void,
): Tables {
  const known = new Map<string, Known>();
  const nameOf = ({ family, name }: TableFact): string => `${family} ${name}`;

  const remember = (fact: TableFact): void => {
    const seenAt = rules.now();
    const digest = skeleton(socket, fact);
    if (digest !== undefined) known.set(nameOf(fact), { text: fact.text, digest, seenAt });
  };

  return {
    look(fact) {
      const was = known.get(nameOf(fact));
      if (was !== undefined && rules.onlyOursSince(was.seenAt)) return { ...fact, text: was.text };
      const seenAt = rules.now();
      const digest = skeleton(socket, fact);
      if (digest === undefined) return undefined;
      if (was?.digest !== digest) return { ...fact, text: UNKNOWN_TEXT };
      was.seenAt = seenAt;
      return { ...fact, text: was.text };
    },
    ensure(fact) {
      const text = fact.text + withoutOthers(fact, namedIn(socket, fact));
      try {
        rules.during(() => runNft(text));
      } catch (error) {
        if (skeleton(socket, fact) === undefined) throw error;
        // Something of the same name but of another kind is in the way (a set with another type, a chain on another
        // hook): it goes, and what fits of the elements comes back.
        const kept = elements.inTable(fact);
        rules.during(() => runNft(`delete table ${nameOf(fact)}\n${fact.text}`));
        elements.change(kept, []);
      }
      remember(fact);
    },
    remove(fact) {
      known.delete(nameOf(fact));
      // Adding first makes the removal succeed where the table is gone (nft has "destroy" since 1.0.7 only).
      rules.during(() => runNft(`add table ${nameOf(fact)}\ndelete table ${nameOf(fact)}`));
    },
  };
}

/**
 * What removes whatever an earlier text made and this one does not name: chains are emptied first, since they may call
 * each other and look things up in maps, which may lead to chains.
 */
function withoutOthers({ family, name, text }: TableFact, there: readonly Member[]): string {
  const named = new Set(
    Array.from(text.matchAll(/^add (?:chain|set|map|flowtable) \S+ \S+ (\S+)/gm), ([, member]) => member),
  );
  const others = there.filter((member) => !named.has(member.name));
  const chains = others.filter(({ kind }) => kind === "chain");
  const lines = (verb: string, members: readonly Member[]) =>
    members.map((member) => `${verb} ${member.kind} ${family} ${name} ${member.name}\n`);
  const rest = others.filter((member) => !chains.includes(member));
  return [...lines("flush", chains), ...lines("delete", rest), ...lines("delete", chains)].join("");
}

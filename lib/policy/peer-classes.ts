/**
 * Pods and addresses sorted into classes that no policy tells apart. A class is made with its first member and goes with
 * its last; whoever keeps something for each class hears of both.
 */
import { ANY_POD, type Numbers, numbers, OUTSIDE } from "./class-id.ts";
import type { NamedPort } from "./objects.ts";
import { type PeerClass, portsText } from "./program.ts";

export interface Traits {
  readonly isPod: boolean;
  /** Sorted. */
  readonly selected: readonly string[];
  /** Sorted. */
  readonly blocks: readonly string[];
  readonly ports: readonly NamedPort[];
}

export interface PeerClasses extends Iterable<PeerClass> {
  /** Takes in a member; returns the class's number. */
  join(traits: Traits): string;
  leave(traits: Traits): void;
}

export interface Listener {
  readonly came: (peers: PeerClass) => void;
  readonly went: (peers: PeerClass) => void;
}

interface Counted {
  readonly peers: PeerClass;
  members: number;
}

export function peerClasses({ came, went }: Listener): PeerClasses {
  const ids: Numbers = numbers();
  const byText = new Map<string, Counted>();
  return {
    *[Symbol.iterator]() {
      for (const { peers } of byText.values()) yield peers;
    },
    join(traits) {
      const plain = plainOf(traits);
      if (plain !== undefined) return plain;
      const text = textOf(traits);
      let counted = byText.get(text);
      if (counted === undefined) {
        const { isPod, selected, blocks, ports } = traits;
        const peers = { id: ids.of(text), isPod, selected: new Set(selected), blocks: new Set(blocks), ports };
        counted = { peers, members: 0 };
        byText.set(text, counted);
        came(peers);
      }
      counted.members++;
      return counted.peers.id;
    },
    leave(traits) {
      const text = textOf(traits);
      const counted = byText.get(text);
      if (counted === undefined || --counted.members > 0) return;
      byText.delete(text);
      went(counted.peers);
      ids.forget(text);
    },
  };
}

/** Those that no policy names have a number of their own, and nothing is kept for them. */
const plainOf = ({ isPod, selected, blocks, ports }: Traits): string | undefined =>
  selected.length + blocks.length + ports.length > 0 ? undefined : isPod ? ANY_POD : OUTSIDE;

const textOf = ({ isPod, selected, blocks, ports }: Traits): string =>
  [isPod ? "pod" : "outside", selected.join("; "), blocks.join("; "), portsText(ports)].join(" # ");

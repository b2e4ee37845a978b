/** WireGuard's keys at work: this node's own are turned over in time, and which of theirs the others use is found out. */
import { setTimeout as sleep } from "node:timers/promises";
import { keyInUse } from "#lib/cluster/key-rotation.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import type { ClusterWays } from "#lib/config/cluster.ts";
import { WIREGUARD_LINK } from "#lib/datapath/ways/names.ts";
import { isFailure } from "#lib/errors.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import type { Keyring } from "./keyring.ts";

export interface Secrecy {
  /** For this node's record; undefined where it has no keys. */
  readonly told: NodeRecord["wireguard"];
  /** Public half of the key in use. */
  readonly active: string | undefined;
  /** The key that a peer uses, as far as is known. */
  inUse(peer: NodeRecord): string | undefined;
  /** Until the signal. `onOwn`: this node has other keys; `onPeers`: these use another one. */
  run(onOwn: () => void, onPeers: (names: readonly string[]) => void, signal: AbortSignal): Promise<void>;
}

export interface SecrecyOptions {
  readonly kernel: Pick<Kernel, "wireguardPeers">;
  /** Absent: no way of this node needs keys. */
  readonly keyring: Keyring | undefined;
  /** UDP. */
  readonly port: number;
  readonly peers: () => Iterable<NodeRecord>;
  readonly onFailure: (error: Error) => void;
}

/** Whether any way may need keys. */
export const needsKeys = ({ way, encrypt }: ClusterWays): boolean => encrypt || way === "wireguard" || way === "auto";

/** Of a look at the own keys, and of one at the peers' while one of them changes its key. */
const CALM_MS = 1_000;
const CHANGING_MS = 200;

export function secrecy({ kernel, keyring, port, peers, onFailure }: SecrecyOptions): Secrecy {
  const heard = new Map<string, number>();
  const inUse = ({ wireguard }: NodeRecord) => keyInUse(wireguard?.publicKeys ?? [], (key) => heard.get(key));
  const changing = (): NodeRecord[] => [...peers()].filter(({ wireguard }) => (wireguard?.publicKeys.length ?? 0) > 1);

  /** Names of those that use another key than was known. */
  const listen = async (some: readonly NodeRecord[]): Promise<string[]> => {
    const before = some.map(inUse);
    for (const { publicKey, lastHandshakeSeconds } of await kernel.wireguardPeers(WIREGUARD_LINK))
      if (lastHandshakeSeconds !== undefined) heard.set(publicKey, lastHandshakeSeconds);
    return some.filter((peer, i) => inUse(peer) !== before[i]).map(({ name }) => name);
  };

  return {
    get told() {
      return keyring && { publicKeys: keyring.told, port };
    },
    get active() {
      return keyring?.active;
    },
    inUse,
    async run(onOwn, onPeers, signal) {
      while (keyring !== undefined && !signal.aborted) {
        let some: NodeRecord[] = [];
        try {
          if (await keyring.turn()) onOwn();
          some = changing();
          const moved = some.length === 0 ? [] : await listen(some);
          if (moved.length > 0) onPeers(moved);
          else if (some.length === 0) heard.clear();
        } catch (error) {
          if (!isFailure(error)) throw error;
          onFailure(error);
        }
        await sleep(some.length > 0 ? CHANGING_MS : CALM_MS, undefined, { signal }).catch(() => {});
      }
    },
  };
}

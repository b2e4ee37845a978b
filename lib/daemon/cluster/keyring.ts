/**
 * This node's WireGuard keys: private halves in files of their own, which the kernel edge reads, and what is in use in
 * the store. One keyring for each daemon.
 */
import { due, type Keys, type RotationOptions, rotated, toldKeys } from "#lib/cluster/key-rotation.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Named, Store } from "#lib/store/store.ts";

export interface Keyring {
  /** Public halves: what the others are told, the newest first. */
  readonly told: readonly string[];
  /** Public half of the one in use. */
  readonly active: string;
  /** Does what is due; whether something is different now. @throws SelvedgeError store, kernel */
  turn(): Promise<boolean>;
}

/** Where private halves are kept. */
export interface KeyFiles {
  /** Makes a key; its public half, in base64. @throws SelvedgeError kernel */
  make(): string;
  /** @throws SelvedgeError kernel */
  forget(publicKey: string): void;
  has(publicKey: string): boolean;
}

export interface KeyringOptions extends RotationOptions {
  readonly store: Pick<Store, "commit">;
  readonly kept: readonly Named[];
  readonly files: KeyFiles;
  readonly nowMs: () => number;
}

const NAME = "wireguard-keys";

/** Makes the first key where there is none, or its file is gone. @throws SelvedgeError store, kernel */
export async function openKeyring({ store, kept, files, nowMs, ...rotation }: KeyringOptions): Promise<Keyring> {
  const keep = (value: Keys) => store.commit([{ put: "own", value: { name: NAME, value: JSON.stringify(value) } }]);
  const known = read(kept.find(({ name }) => name === NAME)?.value);
  let keys = known !== undefined && files.has(known.active) ? known : undefined;
  if (keys === undefined) {
    keys = { active: files.make(), activeSinceMs: nowMs() };
    await keep(keys);
  }
  let current = keys;
  return {
    get told() {
      return toldKeys(current);
    },
    get active() {
      return current.active;
    },
    async turn() {
      const step = due(current, nowMs(), rotation);
      if (step === undefined) return false;
      const before = current;
      const after = rotated(current, step, nowMs(), files.make);
      // The file is there before the store names it, and gone only when nothing does.
      await keep(after);
      current = after;
      if (step === "forget" && before.previous !== undefined) files.forget(before.previous);
      return true;
    },
  };
}

function read(text: string | undefined): Keys | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Keys;
  } catch {
    throw new SelvedgeError({ kind: "store" }, `${NAME}: ${JSON.stringify(text)} is not what was written`);
  }
}

/** What SQLite says, in words that name the file and what to do. */
import { SelvedgeError } from "#lib/errors.ts";

/** sqlite3.h: primary result codes, which are the low byte of an extended one, and one extended code. */
const SQLITE = {
  IOERR_LOCK: 3850,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
} as const;

const DAMAGED = {
  what: "is damaged",
  hint: "Stop the daemon, keep a copy of the file and of its -wal, and restore a backup or move all of them away; a daemon that starts without them adopts nothing, so drain the node first.",
};

const ADVICE: Readonly<Record<number, { readonly what: string; readonly hint: string }>> = {
  [SQLITE.BUSY]: {
    what: "is in use by another process",
    hint: "Another selvedged runs on this state, or a tool has the file open: one daemon for each state directory.",
  },
  [SQLITE.LOCKED]: { what: "is locked", hint: "Another selvedged runs on this state." },
  [SQLITE.READONLY]: {
    what: "is read-only",
    hint: "Make the file and its directory writable for root; see `mount` for a file system that went read-only.",
  },
  [SQLITE.IOERR_LOCK]: {
    what: "cannot be locked for writing",
    hint: "Its file system is read-only (see `mount`), or one of those network file systems that keep no locks.",
  },
  [SQLITE.IOERR]: { what: "cannot be read or written", hint: "`dmesg` tells what the disk says." },
  [SQLITE.CORRUPT]: DAMAGED,
  [SQLITE.NOTADB]: DAMAGED,
  [SQLITE.FULL]: { what: "cannot grow: the disk is full", hint: "Make room; nothing was written and nothing is lost." },
  [SQLITE.CANTOPEN]: { what: "cannot be opened", hint: "The directory must exist and be writable for root." },
};

export function refused(file: string, error: unknown): SelvedgeError {
  if (error instanceof SelvedgeError) return error;
  const code = (error as { errcode?: unknown }).errcode;
  const advice = typeof code === "number" ? (ADVICE[code] ?? ADVICE[code & 0xff]) : undefined;
  const said = error instanceof Error ? error.message : String(error);
  const message = advice === undefined ? `${file}: ${said}` : `${file} ${advice.what} (${said})`;
  return new SelvedgeError({ kind: "store" }, message, {
    cause: error,
    ...(advice === undefined ? {} : { hint: advice.hint }),
  });
}

export const damaged = (file: string, said: string): SelvedgeError =>
  new SelvedgeError({ kind: "store" }, `${file} ${DAMAGED.what}: ${said}`, { hint: DAMAGED.hint });

export const newer = (file: string, has: number, known: number): SelvedgeError =>
  new SelvedgeError(
    { kind: "store" },
    `${file} was written by a newer Selvedge (schema ${has}; this one knows ${known})`,
    { hint: "Install the newer version again, or start with another stateDir on a drained node." },
  );

export const foreign = (file: string): SelvedgeError =>
  new SelvedgeError({ kind: "store" }, `${file} is a SQLite file of another program`, {
    hint: "Name another stateDir, or move the file away.",
  });

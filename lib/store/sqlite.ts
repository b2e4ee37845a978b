/**
 * Durable state in one SQLite file, through node:sqlite. The file is locked exclusively while it is open: a second
 * daemon is refused at once, and the kernel lets go of the lock when the process dies in whatever way.
 *
 * WAL with `synchronous` NORMAL: a commit is in the kernel's page cache when it resolves, which SIGKILL cannot take
 * away. A power cut may take the last commits (never half of one); it takes every namespace and interface with them, so
 * nothing is left that they spoke of. FULL waits for the disk at each commit, for those who keep more on that disk; what
 * other nodes rely on is always committed so.
 */
import { chmodSync, statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { damaged, foreign, newer, refused } from "./refusal.ts";
import {
  attachmentOf,
  coolDownOf,
  leaseOf,
  namedOf,
  nameOf,
  poolOf,
  type Row,
  reservationOf,
  SQL,
  type Statement,
  shareOf,
  statementOf,
} from "./rows.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";
import type { Change, Store } from "./store.ts";

export interface SqliteOptions {
  readonly synchronous?: "NORMAL" | "FULL";
}

/**
 * Opens the file, making it where there is none; its directory must be there.
 * @throws SelvedgeError store: in use, damaged, of a newer version or another program, not writable
 */
export async function sqlite(file: string, { synchronous = "NORMAL" }: SqliteOptions = {}): Promise<Store> {
  const db = open(file, synchronous);
  const prepared = new Map<Statement, StatementSync>();

  const run = (change: Change) => {
    const [name, values] = statementOf(change);
    let statement = prepared.get(name);
    if (statement === undefined) {
      statement = db.prepare(SQL[name]);
      prepared.set(name, statement);
    }
    statement.run(...values);
  };

  const all = <T>(table: string, read: (row: Row) => T): T[] => db.prepare(`SELECT * FROM ${table}`).all().map(read);

  return {
    async load() {
      try {
        return {
          attachments: all("attachment", attachmentOf),
          leases: all("lease", leaseOf),
          coolDowns: all("cool_down", coolDownOf),
          pools: all("pool", poolOf),
          reservations: all("reservation", reservationOf),
          shares: all("share", shareOf),
          replayed: all("replayed", nameOf),
          shared: all("shared", namedOf),
          own: all("own", namedOf),
        };
      } catch (error) {
        if (error instanceof SyntaxError) throw damaged(file, `a column that holds JSON does not (${error.message})`);
        throw refused(file, error);
      }
    },

    async commit(changes) {
      if (changes.length === 0) return;
      try {
        // Of what nodes share, a power cut must not bring back what was given away.
        const forAll = synchronous === "NORMAL" && changes.some(isShare);
        if (forAll) db.exec("PRAGMA synchronous = FULL");
        try {
          transaction(db, () => changes.forEach(run));
        } finally {
          if (forAll && db.isOpen) db.exec("PRAGMA synchronous = NORMAL");
        }
      } catch (error) {
        throw refused(file, error);
      }
    },

    async [Symbol.asyncDispose]() {
      if (db.isOpen) db.close();
    },
  };
}

const isShare = (change: Change): boolean => ("put" in change ? change.put : change.remove) === "share";

function open(file: string, synchronous: "NORMAL" | "FULL"): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 0 });
    // Before the first read: then the WAL's index is in memory too, and nobody else can map it.
    db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`);
    migrate(db, file);
    const found = Object.values(db.prepare("PRAGMA quick_check(1)").get() ?? {})[0];
    if (found !== "ok") throw damaged(file, String(found));
    for (const each of [file, `${file}-wal`]) close(each);
    return db;
  } catch (error) {
    if (db?.isOpen) db.close();
    throw refused(file, error);
  }
}

/** Leaves a file, if it is there, to its owner: a directory that Kubernetes has made is open to everybody. */
function close(file: string): void {
  const { mode = 0 } = statSync(file, { throwIfNoEntry: false }) ?? {};
  if ((mode & 0o077) !== 0) chmodSync(file, 0o600);
}

/** Takes the steps that the file has not taken; in one transaction, which also takes the lock for good. */
function migrate(db: DatabaseSync, file: string): void {
  transaction(db, () => {
    const version = pragma(db, "user_version");
    const id = pragma(db, "application_id");
    const empty = db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
    if (empty ? id !== 0 && id !== APPLICATION_ID : id !== APPLICATION_ID) throw foreign(file);
    if (version > MIGRATIONS.length) throw newer(file, version, MIGRATIONS.length);
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

const pragma = (db: DatabaseSync, name: string): number => db.prepare(`PRAGMA ${name}`).get()?.[name] as number;

function transaction(db: DatabaseSync, work: () => void): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    work();
    db.exec("COMMIT");
  } catch (error) {
    // A full disk may have ended the transaction already.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

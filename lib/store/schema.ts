/**
 * The tables, as the steps that lead to them. A step that has been released is never changed; a new one is added at
 * the end. `PRAGMA user_version` counts the steps that a file has taken.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE attachment (
    container_id TEXT NOT NULL,
    ifname       TEXT NOT NULL,
    network      TEXT NOT NULL,
    phase        TEXT NOT NULL CHECK (phase IN ('adding', 'ready', 'deleting')),
    type         TEXT NOT NULL,
    netns        TEXT NOT NULL,
    netns_inode  INTEGER,
    chained      INTEGER NOT NULL CHECK (chained IN (0, 1)),
    config       TEXT NOT NULL,
    args         TEXT NOT NULL,
    path         TEXT NOT NULL,
    facts        TEXT NOT NULL, -- JSON: Fact[] of lib/state
    result       TEXT,          -- JSON: CNI result
    pod          TEXT,
    created_ms   INTEGER NOT NULL,
    PRIMARY KEY (container_id, ifname)
  ) STRICT;
  CREATE TABLE lease (
    pool         TEXT NOT NULL,
    address      TEXT NOT NULL,
    container_id TEXT NOT NULL,
    ifname       TEXT NOT NULL,
    pod          TEXT,
    since_ms     INTEGER NOT NULL,
    PRIMARY KEY (pool, address)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE cool_down (
    pool        TEXT NOT NULL,
    address     TEXT NOT NULL,
    pod         TEXT,
    released_ms INTEGER NOT NULL,
    until_ms    INTEGER NOT NULL,
    PRIMARY KEY (pool, address)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE pool (
    name TEXT NOT NULL PRIMARY KEY,
    pool TEXT NOT NULL -- JSON: ranges and exclusions
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE replayed (
    name  TEXT NOT NULL PRIMARY KEY,
    at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE reservation (
    pool      TEXT NOT NULL,
    name      TEXT NOT NULL,
    addresses TEXT NOT NULL, -- JSON: list of addresses
    mac       TEXT,
    origin    TEXT NOT NULL,
    since_ms  INTEGER NOT NULL,
    PRIMARY KEY (pool, name)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE attachment ADD COLUMN tenant_facts TEXT; -- JSON: Fact[] by tenant
  ALTER TABLE attachment ADD COLUMN planes TEXT;       -- JSON: PlaneRecord[]
  `,
  `
  ALTER TABLE attachment ADD COLUMN mirrors TEXT; -- JSON: Mirror[] of lib/state
  `,
  `
  CREATE TABLE shared (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE own (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE reservation ADD COLUMN unshared INTEGER NOT NULL DEFAULT 0 CHECK (unshared IN (0, 1));
  CREATE TABLE share (
    pool    TEXT NOT NULL,
    prefix  TEXT NOT NULL,
    without TEXT NOT NULL, -- JSON: list of addresses
    name    TEXT,
    PRIMARY KEY (pool, prefix)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** `PRAGMA application_id`: "SELV". Tells our files from every other SQLite file. */
export const APPLICATION_ID = 0x53454c56;

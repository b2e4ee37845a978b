/** Between the values of the port and the rows of the tables. */
import type { SQLInputValue } from "node:sqlite";
import type { Address, Mac, Prefix } from "#lib/address.ts";
import type {
  AttachmentRecord,
  Change,
  CoolDown,
  Lease,
  Named,
  Origin,
  Phase,
  PoolRecord,
  Reservation,
  Share,
} from "./store.ts";

/** One statement for each kind of change. */
export const SQL = {
  "put attachment":
    "INSERT OR REPLACE INTO attachment (container_id, ifname, network, phase, type, netns, netns_inode, chained, config, args, path, facts, tenant_facts, planes, mirrors, result, pod, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  "remove attachment": "DELETE FROM attachment WHERE container_id = ? AND ifname = ?",
  "put lease":
    "INSERT OR REPLACE INTO lease (pool, address, container_id, ifname, pod, since_ms) VALUES (?, ?, ?, ?, ?, ?)",
  "remove lease": "DELETE FROM lease WHERE pool = ? AND address = ?",
  "put coolDown": "INSERT OR REPLACE INTO cool_down (pool, address, pod, released_ms, until_ms) VALUES (?, ?, ?, ?, ?)",
  "remove coolDown": "DELETE FROM cool_down WHERE pool = ? AND address = ?",
  "put pool": "INSERT OR REPLACE INTO pool (name, pool) VALUES (?, ?)",
  "remove pool": "DELETE FROM pool WHERE name = ?",
  "put reservation":
    "INSERT OR REPLACE INTO reservation (pool, name, addresses, mac, origin, since_ms, unshared) VALUES (?, ?, ?, ?, ?, ?, ?)",
  "remove reservation": "DELETE FROM reservation WHERE pool = ? AND name = ?",
  "put share": "INSERT OR REPLACE INTO share (pool, prefix, without, name) VALUES (?, ?, ?, ?)",
  "remove share": "DELETE FROM share WHERE pool = ? AND prefix = ?",
  "put replayed": "INSERT OR REPLACE INTO replayed (name, at_ms) VALUES (?, ?)",
  "remove replayed": "DELETE FROM replayed WHERE name = ?",
  "put shared": "INSERT OR REPLACE INTO shared (name, value) VALUES (?, ?)",
  "remove shared": "DELETE FROM shared WHERE name = ?",
  "put own": "INSERT OR REPLACE INTO own (name, value) VALUES (?, ?)",
  "remove own": "DELETE FROM own WHERE name = ?",
} as const;

export type Statement = keyof typeof SQL;

/** The statement that makes a change, and its parameters. */
export function statementOf(change: Change): [Statement, SQLInputValue[]] {
  if ("put" in change)
    switch (change.put) {
      case "attachment":
        return ["put attachment", attachmentRow(change.value)];
      case "lease": {
        const { pool, address, containerId, ifname, pod, sinceMs } = change.value;
        return ["put lease", [pool, address, containerId, ifname, pod ?? null, sinceMs]];
      }
      case "coolDown": {
        const { pool, address, pod, releasedMs, untilMs } = change.value;
        return ["put coolDown", [pool, address, pod ?? null, releasedMs, untilMs]];
      }
      case "pool":
        return ["put pool", [change.value.name, change.value.pool]];
      case "reservation": {
        const { pool, name, addresses, mac, origin, sinceMs, unshared } = change.value;
        return [
          "put reservation",
          [pool, name, JSON.stringify(addresses), mac ?? null, origin, sinceMs, unshared === true ? 1 : 0],
        ];
      }
      case "share": {
        const { pool, prefix, without, name } = change.value;
        return ["put share", [pool, prefix, JSON.stringify(without), name ?? null]];
      }
      case "replayed":
        return ["put replayed", [change.name, change.atMs]];
      case "shared":
      case "own":
        return [`put ${change.put}`, [change.value.name, change.value.value]];
    }
  switch (change.remove) {
    case "attachment":
      return ["remove attachment", [change.key.containerId, change.key.ifname]];
    case "lease":
      return ["remove lease", [change.pool, change.address]];
    case "coolDown":
      return ["remove coolDown", [change.pool, change.address]];
    case "pool":
      return ["remove pool", [change.name]];
    case "reservation":
      return ["remove reservation", [change.pool, change.name]];
    case "share":
      return ["remove share", [change.pool, change.prefix]];
    case "replayed":
      return ["remove replayed", [change.name]];
    case "shared":
    case "own":
      return [`remove ${change.remove}`, [change.name]];
  }
}

const attachmentRow = (record: AttachmentRecord): SQLInputValue[] => [
  record.containerId,
  record.ifname,
  record.network,
  record.phase,
  record.type,
  record.netns,
  record.netnsInode ?? null,
  record.chained ? 1 : 0,
  record.config,
  record.args,
  record.path,
  JSON.stringify(record.facts),
  record.tenantFacts === undefined ? null : JSON.stringify(record.tenantFacts),
  record.planes === undefined ? null : JSON.stringify(record.planes),
  record.mirrors === undefined ? null : JSON.stringify(record.mirrors),
  record.result ?? null,
  record.pod ?? null,
  record.createdMs,
];

/** A row as node:sqlite gives it. STRICT tables keep the columns' types, so they are not looked at again. */
export type Row = Readonly<Record<string, unknown>>;

const words = (row: Row, name: string): string => row[name] as string;
const count = (row: Row, name: string): number => row[name] as number;
const pod = (row: Row): { pod?: string } => (row.pod === null ? {} : { pod: words(row, "pod") });

/** @throws SyntaxError when a column that holds JSON does not */
export const attachmentOf = (row: Row): AttachmentRecord => ({
  containerId: words(row, "container_id"),
  ifname: words(row, "ifname"),
  network: words(row, "network"),
  phase: words(row, "phase") as Phase,
  type: words(row, "type"),
  netns: words(row, "netns"),
  ...(row.netns_inode === null ? {} : { netnsInode: count(row, "netns_inode") }),
  chained: row.chained === 1,
  config: words(row, "config"),
  args: words(row, "args"),
  path: words(row, "path"),
  facts: JSON.parse(words(row, "facts")),
  ...(row.tenant_facts === null ? {} : { tenantFacts: JSON.parse(words(row, "tenant_facts")) }),
  ...(row.planes === null ? {} : { planes: JSON.parse(words(row, "planes")) }),
  ...(row.mirrors === null ? {} : { mirrors: JSON.parse(words(row, "mirrors")) }),
  ...(row.result === null ? {} : { result: words(row, "result") }),
  ...pod(row),
  createdMs: count(row, "created_ms"),
});

export const leaseOf = (row: Row): Lease => ({
  pool: words(row, "pool"),
  address: words(row, "address") as Address,
  containerId: words(row, "container_id"),
  ifname: words(row, "ifname"),
  ...pod(row),
  sinceMs: count(row, "since_ms"),
});

export const coolDownOf = (row: Row): CoolDown => ({
  pool: words(row, "pool"),
  address: words(row, "address") as Address,
  ...pod(row),
  releasedMs: count(row, "released_ms"),
  untilMs: count(row, "until_ms"),
});

export const poolOf = (row: Row): PoolRecord => ({ name: words(row, "name"), pool: words(row, "pool") });

/** @throws SyntaxError when the addresses are no JSON */
export const reservationOf = (row: Row): Reservation => ({
  pool: words(row, "pool"),
  name: words(row, "name"),
  addresses: JSON.parse(words(row, "addresses")),
  ...(row.mac === null ? {} : { mac: words(row, "mac") as Mac }),
  origin: words(row, "origin") as Origin,
  sinceMs: count(row, "since_ms"),
  ...(row.unshared === 1 ? { unshared: true } : {}),
});

/** @throws SyntaxError when the addresses are no JSON */
export const shareOf = (row: Row): Share => ({
  pool: words(row, "pool"),
  prefix: words(row, "prefix") as Prefix,
  without: JSON.parse(words(row, "without")),
  ...(row.name === null ? {} : { name: words(row, "name") }),
});

export const namedOf = (row: Row): Named => ({ name: words(row, "name"), value: words(row, "value") });

export const nameOf = (row: Row): string => words(row, "name");

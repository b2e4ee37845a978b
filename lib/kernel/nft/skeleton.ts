/**
 * What a table is without the elements of our sets: its chains, rules, set declarations, and the contents of sets that
 * belong to rules, reduced to a digest. Whoever changes any of them changes the digest; counting packets does not.
 */
import { createHash } from "node:crypto";
import type { TableFact } from "#lib/state/fact.ts";
import { setShape } from "#lib/state/sets.ts";
import { ERRNO, refused } from "#native/libc.ts";
import { attrs, eachAttr, repeated } from "../netlink/attr.ts";
import { raw, text } from "../netlink/codec.ts";
import type { Message } from "../netlink/message.ts";
import type { NetlinkSocket } from "../netlink/socket.ts";
import { chain, elements, flowtable, inTable, messageType, NFPROTO, NFT_MSG, nfgenmsg, set } from "./wire.ts";

/** Attributes that say what a thing is; the others count, or depend on what else there is (linux/netfilter/nf_tables.h, v6.12). */
const LASTING = {
  /** NAME, FLAGS, HANDLE */
  table: [1, 2, 4],
  /** TABLE, HANDLE, NAME, HOOK, POLICY, TYPE, FLAGS */
  chain: [1, 2, 3, 4, 5, 7, 10],
  /** TABLE, CHAIN, HANDLE */
  rule: [1, 2, 3],
  /** TABLE, NAME, FLAGS, KEY_TYPE, KEY_LEN, DATA_TYPE, DATA_LEN, HANDLE */
  set: [1, 2, 3, 4, 5, 6, 7, 16],
} as const;

/** linux/netfilter/nf_tables.h, NFTA_RULE_EXPRESSIONS and enum nft_expr_attributes (v6.12) */
const rule = attrs({ expressions: [4, repeated(attrs({ name: [1, text], data: [2, raw] }))] });

/** Expressions whose data change with every packet. */
const COUNTING: ReadonlySet<string> = new Set(["counter", "quota", "last"]);

/** linux/netfilter/nf_tables.h, enum nft_set_flags (v6.12): it belongs to a rule; it has data; rules put elements into it. */
const NFT_SET = { ANONYMOUS: 0x1, MAP: 0x8, EVAL: 0x20 } as const;

type Named = Pick<TableFact, "family" | "name">;

const asking = ({ family, name }: Named, message: number, what: string) => ({
  what: `list ${what} of ${family} ${name}`,
  type: messageType(message),
  flags: 0,
  body: inTable.body({ family: NFPROTO[family] }, { table: name }),
});

/** Not every kernel looks at the table's name in a dump. */
const all = (socket: NetlinkSocket, table: Named, message: number, what: string): Message[] =>
  socket.dump(asking(table, message, what)).filter(({ body }) => inTable.read(body).attrs.table === table.name);

/** What the kernel says of the table itself; undefined when there is none. @throws SelvedgeError kernel */
function tableIn(socket: NetlinkSocket, table: Named): readonly Message[] | undefined {
  const [answer] = socket.exchange([asking(table, NFT_MSG.GETTABLE, "table")]);
  if (answer?.error?.code === ERRNO.ENOENT) return undefined;
  if (answer?.error !== undefined) throw refused(answer.request.what, answer.error.code, answer.error.text);
  return answer?.messages ?? [];
}

/** What of a table has a name. */
export interface Member {
  readonly kind: "chain" | "set" | "map" | "flowtable";
  readonly name: string;
}

/** None where there is no such table; sets that belong to a rule are left out. @throws SelvedgeError kernel */
export function namedIn(socket: NetlinkSocket, table: Named): Member[] {
  if (tableIn(socket, table) === undefined) return [];
  const chains = all(socket, table, NFT_MSG.GETCHAIN, "chains").flatMap(({ body }): Member[] => {
    const { name } = chain.read(body).attrs;
    return name === undefined ? [] : [{ kind: "chain", name }];
  });
  const sets = all(socket, table, NFT_MSG.GETSET, "sets").flatMap(({ body }): Member[] => {
    const { name, flags = 0 } = set.read(body).attrs;
    if (name === undefined || (flags & NFT_SET.ANONYMOUS) !== 0) return [];
    return [{ kind: (flags & NFT_SET.MAP) === 0 ? "set" : "map", name }];
  });
  const flowtables = all(socket, table, NFT_MSG.GETFLOWTABLE, "flowtables").flatMap(({ body }): Member[] => {
    const { name } = flowtable.read(body).attrs;
    return name === undefined ? [] : [{ kind: "flowtable", name }];
  });
  return [...chains, ...sets, ...flowtables];
}

/** Undefined when there is no such table. @throws SelvedgeError kernel */
export function skeleton(socket: NetlinkSocket, table: Named): string | undefined {
  const { family, name } = table;
  const head = { family: NFPROTO[family] };
  const described = tableIn(socket, table);
  if (described === undefined) return undefined;

  const hash = createHash("sha256");
  for (const { body } of described) lasting(body, LASTING.table, hash);
  for (const { body } of all(socket, table, NFT_MSG.GETCHAIN, "chains")) lasting(body, LASTING.chain, hash);
  for (const { body } of all(socket, table, NFT_MSG.GETRULE, "rules")) {
    lasting(body, LASTING.rule, hash);
    for (const expression of rule.get(body.subarray(nfgenmsg.size)).expressions ?? []) {
      hash.update(expression.name ?? "");
      if (!COUNTING.has(expression.name ?? "")) hash.update(expression.data ?? "");
    }
  }
  for (const { body } of all(socket, table, NFT_MSG.GETSET, "sets")) {
    lasting(body, LASTING.set, hash);
    const { name: setName = "", flags = 0 } = set.read(body).attrs;
    // Elements of our own sets are facts of their own, and what packets leave in a set comes and goes.
    if (setShape(family, name, setName) === undefined && (flags & NFT_SET.EVAL) === 0)
      contents(socket, head, name, setName, hash);
  }
  return hash.digest("hex");
}

interface Digest {
  update(bytes: Uint8Array | string): Digest;
}

function lasting(body: Uint8Array, types: readonly number[], hash: Digest): void {
  for (const [type, value] of eachAttr(body.subarray(nfgenmsg.size)))
    if (types.includes(type)) hash.update(`${type} ${value.length} `).update(value);
}

/** In the order of the bytes: that of a hash table changes when it grows. */
function contents(socket: NetlinkSocket, head: { family: number }, table: string, name: string, hash: Digest): void {
  const messages = socket.dump({
    what: `list elements ${name}`,
    type: messageType(NFT_MSG.GETSETELEM),
    flags: 0,
    body: elements.body(head, { table, set: name }),
  });
  const members = messages.flatMap(({ body }) => elements.read(body).attrs.elements ?? []);
  const hexes = members.map(({ key, data }) => `${hex(key?.value)}:${hex(data?.value)}`);
  hash.update(`${name} ${hexes.sort().join(" ")}`);
}

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

/** The shared store in etcd, v3.4 or newer. Nothing is opened before it is asked for, so a member that is away is no mistake. */
import { SelvedgeError } from "#lib/errors.ts";
import { type KeyValue, KV, type ResponseHeader } from "#proto/etcd_pb.ts";
import { checkKey, checkPrefix, type Entry, type Revision, type Shared } from "../shared.ts";
import { watches } from "../watches.ts";
import { liveness } from "./liveness.ts";
import { type MembersOptions, members } from "./members.ts";
import { troubleOf } from "./refusal.ts";
import { endOf, putting, removing } from "./txn.ts";
import { type Listing, type Position, watch } from "./watch.ts";

export interface EtcdOptions
  extends Omit<MembersOptions, "random" | "onRequest">,
    Partial<Pick<MembersOptions, "random" | "onRequest">> {
  /** Of every key in etcd; ends with a slash. */
  readonly prefix: string;
  readonly livenessSeconds: number;
}

const positionOf = (header: ResponseHeader | undefined): Position => ({
  revision: header?.revision ?? 0,
  clusterId: header?.clusterId ?? 0,
});

/** Keys in one answer: far below etcd's limits for a message at any size of ours. */
const PAGE = 1_000;

export function etcd({
  prefix,
  livenessSeconds,
  random = Math.random,
  onRequest = () => {},
  ...rest
}: EtcdOptions): Shared {
  const cluster = members({ ...rest, random, onRequest });
  const closing = new AbortController();
  const alive = liveness(cluster, { livenessSeconds, signal: closing.signal, random });
  const watched = watches();

  const entryOf = ({ key, value, modRevision }: KeyValue): Entry => ({
    key: key.slice(prefix.length),
    value,
    revision: String(modRevision) as Revision,
  });

  /** In pages, all of the revision of the first. */
  async function list(within: string): Promise<Listing> {
    const kvs: KeyValue[] = [];
    let key = within;
    let at: Listing["at"] | undefined;
    for (;;) {
      const page = { key, rangeEnd: endOf(within), limit: PAGE, revision: at?.revision ?? 0 };
      const { header, kvs: more, more: isMore } = await cluster.ask(KV.range, page, true);
      at ??= positionOf(header);
      kvs.push(...more);
      const last = more.at(-1);
      if (!isMore || last === undefined) return { kvs, at };
      key = `${last.key}\0`;
    }
  }

  const position = async () => positionOf((await cluster.ask(KV.range, { key: prefix, limit: 1 }, true)).header);

  const put = async (key: string, value: string, condition: Revision | "absent" | undefined, lease: number) => {
    const revision = condition === undefined ? undefined : condition === "absent" ? 0 : Number(condition);
    const request = putting({ key: prefix + key, value, lease }, revision);
    const { succeeded, header } = await cluster.ask(KV.txn, request, condition === undefined);
    return succeeded ? (String(header?.revision) as Revision) : undefined;
  };

  async function putAlive(key: string, value: string, condition: Revision | "absent" | undefined) {
    const lease = await alive.id();
    try {
      return await put(key, value, condition, lease);
    } catch (error) {
      if (!(error instanceof SelvedgeError) || troubleOf(error.cause) !== "no-lease") throw error;
      alive.lost(lease);
      return await put(key, value, condition, await alive.id());
    }
  }

  return {
    async get(key) {
      checkKey(key);
      const { kvs } = await cluster.ask(KV.range, { key: prefix + key }, true);
      return kvs.map(entryOf)[0];
    },
    async list(within) {
      checkPrefix(within);
      return (await list(prefix + within)).kvs.map(entryOf);
    },
    async put(key, value, { if: condition, whileAlive = false } = {}) {
      checkKey(key);
      const revision = await (whileAlive ? putAlive(key, value, condition) : put(key, value, condition, 0));
      if (revision !== undefined && whileAlive) alive.holds(prefix + key, value);
      else if (revision !== undefined) alive.holdsNoMore(prefix + key);
      return revision;
    },
    async remove(key, { if: condition } = {}) {
      checkKey(key);
      const request = removing(prefix + key, condition === undefined ? undefined : Number(condition));
      const { succeeded } = await cluster.ask(KV.txn, request, condition === undefined);
      if (succeeded) alive.holdsNoMore(prefix + key);
      return succeeded;
    },
    async watch(within, onChange, signal, onConnection = () => {}) {
      checkPrefix(within);
      const watching = watch({
        members: cluster,
        prefix: prefix + within,
        list: () => list(prefix + within),
        position,
        onChange: (change) =>
          onChange(
            "put" in change
              ? { put: entryOf(change.put) }
              : "remove" in change
                ? { remove: change.remove.slice(prefix.length) }
                : { all: change.all.map(entryOf) },
          ),
        onConnection,
        signal: AbortSignal.any([signal, closing.signal]),
        random,
      });
      await watched.follow(watching);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      cluster[Symbol.dispose]();
      await Promise.allSettled([alive.done, watched.ended()]);
    },
  };
}

import { Admin, type Leak, type Lease } from "#proto/selvedge_pb.ts";
import { counted, duration } from "./amount.ts";
import { shortId } from "./attachments.ts";
import { type Answer, type Ask, type Command, type Given, UsageError } from "./command.ts";
import { poolTable } from "./pools.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";

const VIEWS = ["pools", "leases", "cooldowns", "leaks"] as const;
type View = (typeof VIEWS)[number];

export const ipam: Command = {
  summary: "Address pools, leases, cool-downs, and leaks.",
  usage: "[pools|leases|cooldowns|leaks]",
  fewestWords: 0,
  mostWords: 1,
  choices: VIEWS,
  options: {
    pool: { value: "NAME", meaning: "leases, cooldowns: only those of this pool" },
    free: { meaning: "leaks: free what is found; the daemon proves each one again before it does" },
  },
  run(ask, given) {
    const view = (given.words[0] ?? "pools") as View;
    if (given.flag("free") && view !== "leaks") throw new UsageError("--free belongs to `selvedgectl ipam leaks`");
    if (given.value("pool") !== "" && view !== "leases" && view !== "cooldowns")
      throw new UsageError("--pool belongs to `selvedgectl ipam leases` and `selvedgectl ipam cooldowns`");
    return show[view](ask, given);
  },
};

const show = {
  async pools(ask) {
    const list = await ask(Admin.listPools, {});
    return {
      json: list,
      lines: (style, width) => (list.pools.length === 0 ? ["no pools"] : poolTable(list.pools, style, width)),
    };
  },
  async leases(ask, { value }) {
    const { leases } = await ask(Admin.listLeases, { pool: value("pool") });
    const held = leases.filter(({ coolingMs }) => coolingMs === 0);
    return {
      json: { leases: held },
      lines: (style, width) => (held.length === 0 ? ["no leases"] : leaseTable(held, style, width)),
    };
  },
  async cooldowns(ask, { value }) {
    const { leases } = await ask(Admin.listLeases, { pool: value("pool") });
    const cooling = leases.filter(({ coolingMs }) => coolingMs > 0);
    return {
      json: { leases: cooling },
      lines: (style, width) =>
        cooling.length === 0 ? ["no addresses are cooling down"] : coolingTable(cooling, style, width),
    };
  },
  async leaks(ask, { flag }) {
    const found = await ask(Admin.findLeaks, {});
    if (!flag("free") || found.leaks.length === 0)
      return {
        json: found,
        lines: (style, width) =>
          found.leaks.length === 0
            ? ["no leaks"]
            : [...leakTable(found.leaks, style, width), "", "Free them with `selvedgectl ipam leaks --free`."],
      };
    const freed = await ask(Admin.freeLeaks, { names: found.leaks.map(({ name }) => name) });
    const kept = found.leaks.length - freed.leaks.length;
    const notFreed =
      kept === 0 ? [] : [`${counted(kept, "address", "addresses")} kept: in use again, or no longer leaked`];
    return {
      json: freed,
      lines: (style, width) => [
        ...(freed.leaks.length === 0 ? [] : [...leakTable(freed.leaks, style, width), ""]),
        `${counted(freed.leaks.length, "address", "addresses")} freed`,
        ...notFreed,
      ],
    };
  },
} as const satisfies Record<View, (ask: Ask, given: Given) => Promise<Answer>>;

const owner = ({ owner: key }: Lease): string => (key === undefined ? "" : `${shortId(key.containerId)}/${key.ifname}`);

const leaseTable = (leases: readonly Lease[], style: Style, width: number): string[] =>
  table(
    [
      { heading: "POOL", cut: true },
      { heading: "ADDRESS" },
      { heading: "OWNER" },
      { heading: "POD", cut: true },
      { heading: "SINCE" },
    ],
    leases.map((lease) => [lease.pool, lease.address, owner(lease), lease.pod, lease.since]),
    style,
    width,
  );

const coolingTable = (leases: readonly Lease[], style: Style, width: number): string[] =>
  table(
    [
      { heading: "POOL", cut: true },
      { heading: "ADDRESS" },
      { heading: "RELEASED" },
      { heading: "FREE IN", right: true },
    ],
    leases.map((lease) => [lease.pool, lease.address, lease.since, duration(lease.coolingMs)]),
    style,
    width,
  );

const leakTable = (leaks: readonly Leak[], style: Style, width: number): string[] =>
  table(
    [{ heading: "LEAK" }, { heading: "OWNER" }, { heading: "PROOF", cut: true }],
    leaks.map(({ name, lease, proof }) => [name, lease === undefined ? "" : owner(lease), proof]),
    style,
    width,
  );

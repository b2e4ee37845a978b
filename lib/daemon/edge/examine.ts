/** `selvedgectl edge doctor`: what stands between this node and a router, in the order in which it is met. */
import { addressOf } from "#lib/address.ts";
import { isNothing } from "#lib/edge/change.ts";
import { overlaps } from "#lib/edge/connected.ts";
import { servedPools } from "#lib/edge/render/served.ts";
import { type Table, tables } from "#lib/edge/render/tables.ts";
import type { EdgeView, RouterSpec } from "#lib/edge/router.ts";
import { isFailure } from "#lib/errors.ts";
import { Finding } from "#proto/selvedge_pb.ts";
import type { EdgeRouterHandle } from "./driven.ts";
import { versionOf } from "./observe.ts";
import { roleIn } from "./role.ts";
import { conflictText } from "./router-status.ts";

const ok = (check: string, message: string): Finding => Finding.of({ check, level: "ok", message });
const problem = (check: string, message: string, remedy: string): Finding =>
  Finding.of({ check, level: "problem", message, remedy });
const warning = (check: string, message: string, remedy: string): Finding =>
  Finding.of({ check, level: "warning", message, remedy });

/** Changes nothing. */
export async function examine(router: EdgeRouterHandle, view: EdgeView, nowMs: number): Promise<Finding[]> {
  const { config, pusher, vyos, spec } = router;
  const found: Finding[] = [];
  try {
    const { version, dialect } = await versionOf(vyos);
    found.push(ok("connection", `${config.url} is VyOS ${version}`));
    if (!dialect.confirms) found.push(ok("version", "1.4 takes no commit back by itself"));
    const wanted = await spec();
    found.push(...overlapping(wanted, view));
    found.push(...paired(wanted, await roleIn(vyos, wanted)));
    const { change } = await pusher.plan(view);
    for (const each of change.conflicts)
      found.push(
        problem(
          "conflict",
          conflictText(each),
          each.stays === undefined
            ? "Take it away on the router, or change the configuration of Selvedge."
            : "Choose fewer pods, let the router have more of them (`most`), or use other addresses for the pool.",
        ),
      );
    for (const line of change.intruders)
      found.push(
        warning(
          "intruder",
          `${line} is somebody else's inside of ours`,
          "It stays; Selvedge does not know what it is for.",
        ),
      );
    const count = change.sets.length + change.deletes.length;
    if (isNothing(change)) found.push(ok("configuration", "it has what it should"));
    else
      found.push(
        warning(
          "configuration",
          `${count} commands away from what it should have`,
          `\`selvedgectl edge plan ${config.name}\` shows them.`,
        ),
      );
  } catch (error) {
    if (!isFailure(error)) throw error;
    found.push(
      problem(isFailure(error, "router") ? error.failure.why : "configuration", error.message, error.hint ?? ""),
    );
  }
  const { phase, message, writer, inSyncMs, isUnsaved } = router.status;
  if (["paused", "held", "drifted", "dry-run", "failing", "open"].includes(phase))
    found.push(warning(phase, message, phase === "paused" ? `\`selvedgectl edge resume ${config.name}\`` : ""));
  if (writer !== "") found.push(ok("writer", `node ${writer} writes to it`));
  if (inSyncMs > 0)
    found.push(ok("last look", `${Math.round((nowMs - inSyncMs) / 1_000)} s ago it was as it should be`));
  if (isUnsaved) found.push(warning("saving", "it boots with something else than it has now", ""));
  return found;
}

/** @param role by its own word */
function paired({ pair }: RouterSpec, role: string): Finding[] {
  if (pair === undefined) return [];
  if (["master", "backup"].includes(role)) return [ok("pair", `it is the ${role} of pair ${pair.name}`)];
  const said = role === "" ? "it does not tell what it is in" : `its state is ${role} in`;
  return [warning("pair", `${said} pair ${pair.name}`, "`show vrrp` on the router tells more.")];
}

/** Pools that hold an address of the router's own, in a table that leads to them. */
function overlapping(spec: RouterSpec, view: EdgeView): Finding[] {
  const said = leading(spec, view)
    .flatMap(({ vrf, pools }) => overlaps(spec.connected ?? [], pools, vrf))
    .map(
      ({ pool, prefix, connected }) =>
        `${addressOf(connected.address)} is the router's own and lies in ${prefix} of pool ${pool}`,
    );
  return [...new Set(said)].map((each) => problem("overlap", each, "Use other addresses for the pool."));
}

/** By static routes and by BGP; on a router that has neither by what its operator says. */
function leading(spec: RouterSpec, view: EdgeView): Table[] {
  const { static: routes, bgp } = spec;
  const pools = servedPools(spec, view);
  if (routes === undefined && bgp === undefined) return [{ pools }];
  return [
    ...(routes === undefined ? [] : tables({ ...spec, static: routes }, view)),
    ...(bgp === undefined ? [] : [{ pools, ...(bgp.vrf === undefined ? {} : { vrf: bgp.vrf }) }]),
  ];
}

/** STATUS: would an ADD on this network succeed now? */
import { parseNetConf } from "#lib/cni/netconf.ts";
import type { Request } from "#lib/cni/types.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { poolsOf } from "./acquire.ts";
import type { Core } from "./core.ts";
import { delegationOf } from "./delegated.ts";
import { mustHaveFreeInTurn } from "./in-turn.ts";
import { settingsOf } from "./settings.ts";

/** @throws SelvedgeError not-ready, pool-exhausted, delegate, and whatever is wrong with the configuration */
export async function status(core: Core, request: Request): Promise<void> {
  const conf = parseNetConf("STATUS", request.config, request.args);
  const settings = settingsOf(core.config, conf);
  if (core.waitingFor.size > 0)
    throw new SelvedgeError({ kind: "not-ready" }, `selvedged is not ready: ${[...core.waitingFor].join("; ")}`, {
      hint: "`selvedgectl status` shows what it waits for",
    });
  const delegated = delegationOf(request, "STATUS");
  if (delegated !== undefined) await core.delegate(delegated);
  else if (!settings.plan.addressless) await mustHaveFreeInTurn(core, poolsOf(core, conf, settings));
}

/** Which of its pair a router is now, by its own word. */
import { groupsOfPair } from "#lib/edge/render/pairs.ts";
import { roleOf } from "#lib/edge/role.ts";
import type { RouterSpec } from "#lib/edge/router.ts";
import { isFailure } from "#lib/errors.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";

/** `""` where it is one of none, or does not tell. */
export async function roleIn(router: Vyos, { pair }: RouterSpec): Promise<string> {
  if (pair === undefined) return "";
  try {
    return roleOf(await router.show(["vrrp"]), groupsOfPair(pair));
  } catch (error) {
    if (!isFailure(error, "router")) throw error;
    return "";
  }
}

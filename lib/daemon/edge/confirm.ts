/** Commits that a router takes back by itself unless they are confirmed: from VyOS 1.5 on. */
import type { Dialect } from "#lib/edge/dialect.ts";
import { nodeAt } from "#lib/edge/tree.ts";
import { isFailure } from "#lib/errors.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";

export interface Confirmation {
  readonly confirmMinutes: number;
}

/** Not where it would mean a reboot, which is what VyOS does unless it is told otherwise. @throws SelvedgeError router */
export async function confirmation(
  router: Vyos,
  dialect: Dialect | undefined,
  confirmMinutes: number,
): Promise<Confirmation | undefined> {
  if (confirmMinutes === 0 || dialect?.confirms !== true) return undefined;
  const management = await router.read(["system", "config-management"]);
  const action = [...(nodeAt(management, ["commit-confirm", "action"])?.keys() ?? [])];
  return action[0] === "reload" ? { confirmMinutes } : undefined;
}

/** What may wait to be confirmed is, or it would be taken back. @throws SelvedgeError router */
export async function confirmLate(router: Vyos): Promise<void> {
  try {
    await router.confirm();
  } catch (error) {
    // Nothing waits: its time is over, or there never was one.
    if (!isFailure(error, "router") || !["refused", "failed"].includes(error.failure.why)) throw error;
  }
}

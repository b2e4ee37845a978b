/** Whether a router has what it was told. */
import { type Change, isNothing } from "#lib/edge/change.ts";
import { lineOf } from "#lib/edge/path.ts";
import { SelvedgeError } from "#lib/errors.ts";

/** @param left what a look after the push would still change @throws SelvedgeError router: it has not */
export function checkObeyed(router: string, left: Change): void {
  if (isNothing(left)) return;
  const some = [...left.sets, ...left.deletes].slice(0, 3).map(lineOf);
  throw new SelvedgeError(
    { kind: "router", router, why: "failed" },
    `router ${router}: it has not what it was told: ${some.join(", ")}`,
  );
}

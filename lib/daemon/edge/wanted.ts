/** What a router should have, as far as it takes it. */
import type { Dialect } from "#lib/edge/dialect.ts";
import { lineOf } from "#lib/edge/path.ts";
import { overlapping, type Piece } from "#lib/edge/piece.ts";
import { render } from "#lib/edge/render/render.ts";
import type { EdgeView, RouterSpec } from "#lib/edge/router.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Refusals } from "./refusals.ts";

/** @throws SelvedgeError config-invalid: two reasons for one piece */
export function wantedOf(spec: RouterSpec, view: EdgeView, dialect: Dialect, refused: Refusals): Piece[] {
  const rendered = render(spec, view, dialect);
  refused.sift(rendered);
  const clash = overlapping(rendered);
  if (clash === undefined) return refused.heeded(rendered);
  throw new SelvedgeError(
    { kind: "config-invalid", field: "edge.routers" },
    `router ${spec.name}: "${lineOf(clash)}" would be there for two reasons, such as a site's network and a pool; leave one of them out`,
  );
}

/** The bridge of a network that is one segment with those of other nodes: it stands before the first pod does. */
import { bridge } from "#lib/attach/bridge/bridge.ts";
import { bridgeSide } from "#lib/attach/bridge/shared.ts";
import type { Network } from "#lib/config/config.ts";
import type { Fact } from "#lib/state/fact.ts";

/** Its name. @throws SelvedgeError config-invalid: options that the type refuses */
export const bridgeOf = ({ options }: Network): string => bridge.parse(options).bridge;

/** The bridge as every attachment of the network wants it. */
export function bridgeFacts({ options }: Network): Fact[] {
  const spec = bridge.parse(options);
  return bridgeSide(spec, [], 0).filter((fact) => fact.type === "link" && fact.name === spec.bridge);
}

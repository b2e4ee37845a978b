/** The bridge of a network that is one segment with those of other nodes: it stands before the first pod does. */
import { bridge } from "#lib/attach/bridge/bridge.ts";
import { bridgeSide } from "#lib/attach/bridge/shared.ts";
import type { Config } from "#lib/config/config.ts";
import type { Network } from "#lib/config/network.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { StretchedNetwork } from "./cluster/segments.ts";

/** Its name. @throws SelvedgeError config-invalid: options that the type refuses */
export const bridgeOf = ({ options }: Network): string => bridge.parse(options).bridge;

/** The bridge as every attachment of the network wants it. */
export function bridgeFacts({ options }: Network): Fact[] {
  const spec = bridge.parse(options);
  return bridgeSide(spec, [], 0).filter((fact) => fact.type === "link" && fact.name === spec.bridge);
}

/** Networks that are one segment on all nodes of the cluster. @throws SelvedgeError config-invalid: options that the type refuses */
export const stretchedOf = ({ networks }: Pick<Config, "networks">): StretchedNetwork[] =>
  [...networks.values()].flatMap((network) =>
    network.stretch === undefined
      ? []
      : [
          {
            network: network.name,
            ...(network.tenant === undefined ? {} : { tenant: network.tenant }),
            bridge: bridgeOf(network),
            vni: network.stretch.vni,
            facts: bridgeFacts(network),
            pools: network.pools,
            ...(network.mtu === undefined ? {} : { mtu: network.mtu }),
          },
        ],
  );

/** Echoes in memory: nodes of one network that can be cut in two. */
import type { Address } from "#lib/address.ts";
import type { Asked, EchoOptions, OpenEcho } from "./echo.ts";

export interface FakeNetwork {
  /** The echo of a node with these addresses; the first is what others see questions come from. */
  echoOf(addresses: readonly Address[]): OpenEcho;
  /** Whether a datagram from the first arrives at the second. All do at first. */
  arrives: (from: Address, to: Address) => boolean;
}

export function fakeNetwork(): FakeNetwork {
  const nodes = new Map<string, EchoOptions>();
  const placeOf = (address: Address, port: number) => `${address} ${port}`;
  const network: FakeNetwork = {
    arrives: () => true,
    echoOf: (addresses) => async (options) => {
      const [own] = addresses;
      if (own === undefined) throw new Error("a node has at least one address");
      for (const address of addresses) nodes.set(placeOf(address, options.port), options);
      const reach = (to: Address) => network.arrives(own, to) && network.arrives(to, own);
      const ask = ({ address, port, uid }: Asked, nonce: bigint, onNobody: () => void) =>
        queueMicrotask(() => {
          const asked = nodes.get(placeOf(address, port));
          if (!reach(address)) return;
          if (asked === undefined) onNobody();
          else if (asked.uid === uid && asked.isKnown(own)) options.onAnswer(nonce);
        });
      return {
        port: options.port,
        ask: (to, nonce) => ask(to, nonce, () => {}),
        askClosely: (to, nonce) => ask(to, nonce, () => options.onRefusal(nonce)),
        async [Symbol.asyncDispose]() {
          for (const address of addresses) nodes.delete(placeOf(address, options.port));
        },
      };
    },
  };
  return network;
}

/** A client of a shared store on this machine, which reaches it by a line of its own. */
import type { Shared } from "#lib/store/shared.ts";
import type { ContractClient } from "#lib/store/shared-contract.ts";
import { freePort } from "../support/free-port.ts";
import { wire } from "./wire.ts";

/** @param open the client of the store that is at that port of 127.0.0.1 */
export async function clientOnLine(to: number, open: (port: number) => Shared): Promise<ContractClient> {
  const line = await wire(to, await freePort());
  const shared = open(line.port);
  return {
    ...shared,
    cut: line.cut,
    heal: line.heal,
    async [Symbol.asyncDispose]() {
      await shared[Symbol.asyncDispose]();
      await line[Symbol.asyncDispose]();
    },
  };
}

/** Whether anybody is at an address, by TCP: who refuses the connection has answered, too. */
import { connect } from "node:net";
import type { Address } from "#lib/address.ts";

/** An address and a port of TCP. */
export interface End {
  readonly address: Address;
  readonly port: number;
}

export type Reaches = (end: End) => Promise<boolean>;

const PATIENCE_MS = 2_000;

/** Nothing is sent but what opens the connection, which is closed at once. */
export const reaches: Reaches = ({ address, port }) => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: address, port });
  socket.setTimeout(PATIENCE_MS, () => resolve(false));
  socket.once("connect", () => resolve(true));
  socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "ECONNREFUSED" || code === "ECONNRESET"));
  return promise.finally(() => socket.destroy());
};

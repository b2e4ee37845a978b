/** The port to the echo by which nodes find out whether they reach each other. Implementations: `udp.ts`, `fake.ts`. */
import type { Address } from "#lib/address.ts";

export interface Echo extends AsyncDisposable {
  /** UDP, on every address of the node. */
  readonly port: number;
  /**
   * Asks the node with this uid, once. Nothing tells of an address that cannot be reached; there is just no answer.
   * @param nonce 64 bits
   */
  ask(to: Asked, nonce: bigint): void;
  /** The same, and hears when the machine says that nobody listens there: its daemon is away, and it is not. */
  askClosely(to: Asked, nonce: bigint): void;
}

export interface Asked {
  readonly address: Address;
  readonly port: number;
  readonly uid: string;
}

export interface EchoOptions {
  readonly port: number;
  /** Questions for another uid are not answered. */
  readonly uid: string;
  /** Questions from anybody else are not answered. */
  readonly isKnown: (from: Address) => boolean;
  readonly onAnswer: (nonce: bigint) => void;
  /** The machine has answered in place of its daemon. */
  readonly onRefusal: (nonce: bigint) => void;
}

/** @throws SelvedgeError config-invalid: the port is taken */
export type OpenEcho = (options: EchoOptions) => Promise<Echo>;

/** How the node reaches an address, as its routing table has it. */
import type { Address } from "#lib/address.ts";

export interface Egress {
  /** The address that was asked for. */
  readonly to: Address;
  readonly link: string;
  /** Largest packet that the device, or the route, takes, bytes. */
  readonly mtuBytes: number;
  /** Address of the node that such packets carry. */
  readonly source: Address;
  /** Next hop; absent: on the link itself. */
  readonly via?: Address;
}

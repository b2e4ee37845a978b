/** An attachment of this node: its pod, which may be known from nowhere else. */
import type { Address } from "#lib/address.ts";
import type { Labels } from "./objects.ts";

export interface Held {
  /** Container and interface. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** While the pod itself is not known; absent: those that it had when it was, so that nobody escapes by being deleted. */
  readonly labels?: Labels;
  readonly addresses: readonly Address[];
}

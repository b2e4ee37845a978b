/** The object by which Kubernetes knows the node, as far as it is told something of it. */
export interface NodeObject {
  /** @throws SelvedgeError not-ready, config-invalid: it was not told */
  sayNetwork(said: NetworkSaid, signal: AbortSignal): Promise<void>;
}

/** The condition NetworkUnavailable of a node (core/v1, NodeCondition): while it is true no pods are sent there. */
export interface NetworkSaid {
  readonly isAvailable: boolean;
  /** Why not, or that it is. */
  readonly message: string;
  /** Since when, milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly nowMs: number;
}

/** Whether another node is there, from what the store and the probes say of it. */

export interface Signs {
  /** The store hears of this very node. While the store is away: when it was last asked. */
  readonly heardOf: boolean;
  /** Probes without an answer in a row. */
  readonly lostInARow: number;
  /** Its kernel has said of late that nobody listens: the daemon is away, and packets go on through the node. */
  readonly machineAnswers: boolean;
}

export interface Patience {
  /** So many probes without an answer in a row are no answer. */
  readonly lost: number;
  /** No answer is enough, whatever the store says. */
  readonly decides: boolean;
}

/** `silent`: does not answer, or is not heard of, but not both; packets still go there. `dead`: its routes are withdrawn. */
export type Liveness = "alive" | "silent" | "dead";

export function livenessOf({ heardOf, lostInARow, machineAnswers }: Signs, { lost, decides }: Patience): Liveness {
  const answers = lostInARow < lost;
  if (answers) return heardOf ? "alive" : "silent";
  return !machineAnswers && (decides || !heardOf) ? "dead" : "silent";
}

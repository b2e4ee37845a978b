/** Where a fact lives: the node's own namespace, or the namespace of the one attachment at hand. */
export type Place = "host" | "pod";

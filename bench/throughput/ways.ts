/** Ways between the nodes that are measured. */
export const WAYS = ["direct", "vxlan"] as const;
export type Way = (typeof WAYS)[number];

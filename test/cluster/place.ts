/**
 * Where the nodes of the rig are: `a` on one network, `b` and `c` on another, a router between the two, where etcd runs.
 * Addresses of RFC 5737 and RFC 3849, so that nothing real can be meant.
 */
export const NAMES = ["a", "b", "c"] as const;
export type Name = (typeof NAMES)[number];
export type Family = 4 | 6;

const SEGMENT = { a: 1, b: 2, c: 2 } as const satisfies Record<Name, 1 | 2>;
const NUMBER = { a: 1, b: 2, c: 3 } as const satisfies Record<Name, number>;
const NETWORK = {
  4: { 1: "192.0.2.", 2: "198.51.100." },
  6: { 1: "2001:db8:1::", 2: "2001:db8:2::" },
} as const;
const ROUTER_NUMBER = "fe" as const;

export const LENGTH = { 4: 24, 6: 64 } as const satisfies Record<Family, number>;
export const SEGMENTS = [1, 2] as const;
export const segmentOf = (name: Name): 1 | 2 => SEGMENT[name];
export const addressOf = (name: Name, family: Family): string => `${NETWORK[family][SEGMENT[name]]}${NUMBER[name]}`;
export const routerOn = (segment: 1 | 2, family: Family): string =>
  `${NETWORK[family][segment]}${family === 4 ? 254 : ROUTER_NUMBER}`;

/** Of namespaces. */
export const ROUTER = "cl-router";
export const namespaceOf = (name: Name): string => `cl-${name}`;

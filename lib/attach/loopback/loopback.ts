/** `loopback`: the pod's own `lo`, which a new namespace has but does not raise. */
import type { Prefix } from "#lib/address.ts";
import { LOOPBACK_MAC } from "#lib/cni/loopback.ts";
import type { Built, Kind } from "../kind.ts";

/** The type has no fields of its own. */
export type LoopbackSpec = Readonly<Record<string, never>>;

/** What the kernel itself gives the link when it goes up. */
const ADDRESSES = ["127.0.0.1/8", "::1/128"] as Prefix[];

/** The interface that was asked for is not looked at, as in the reference plugin: a namespace has one loopback link. */
export const loopback: Kind<LoopbackSpec> = {
  parse: () => ({}),
  addressless: () => true,
  desired: (): Built => ({
    facts: [
      { type: "link", at: "pod", name: "lo", kind: "loopback", up: true },
      ...ADDRESSES.map((address) => ({ type: "address", at: "pod", link: "lo", address }) as const),
    ],
    shared: [],
    ips: ADDRESSES.map((address) => ({ address })),
    routes: [],
    hostInterfaces: [],
    podInterface: { name: "lo", mac: LOOPBACK_MAC },
  }),
};

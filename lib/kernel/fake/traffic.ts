/** Queues and filters of the fake's links: shapers and trees, redirects and mirrors. */
import type { Fact } from "#lib/state/fact.ts";
import type { MirrorFact, RedirectFact, ShaperFact, TreeFact } from "#lib/state/traffic-fact.ts";
import { type Device, deviceOf, type Network } from "./device.ts";
import { refusal } from "./refusal.ts";

/** @throws SelvedgeError kernel ENODEV, EINVAL (no rate, a burst that cannot hold a packet, a class twice) */
export function ensureQueue(network: Network, fact: ShaperFact | TreeFact): void {
  const call = `add qdisc ${fact.link}`;
  const device = deviceOf(network, fact.link, call);
  if (fact.rateBits < 8 || fact.burstBytes < 1) throw refusal(call, "EINVAL");
  if (fact.type === "tree" && new Set(fact.classes.map(({ id }) => id)).size < fact.classes.length)
    throw refusal(call, "EINVAL");
  device.queue = fact;
}

/** @throws SelvedgeError kernel ENODEV */
export function ensureRedirect(network: Network, fact: RedirectFact): void {
  const call = `add filter ${fact.link}`;
  deviceOf(network, fact.link, call).redirects.set(fact.hook ?? "ingress", deviceOf(network, fact.to, call));
}

/** @throws SelvedgeError kernel ENODEV */
export function ensureMirror(network: Network, fact: MirrorFact): void {
  const call = `add filter ${fact.link}`;
  const to = deviceOf(network, fact.to, call);
  deviceOf(network, fact.link, call).mirrors.set(mirrorKey(fact), { fact, to });
}

const mirrorKey = ({ hook, slot }: MirrorFact): string => `${hook} ${slot}`;

export function removeTraffic(device: Device, fact: RedirectFact | MirrorFact | ShaperFact | TreeFact): void {
  if (fact.type === "redirect") device.redirects.delete(fact.hook ?? "ingress");
  else if (fact.type === "mirror") device.mirrors.delete(mirrorKey(fact));
  else device.queue = undefined;
}

export function findTraffic(device: Device, fact: RedirectFact | MirrorFact | ShaperFact | TreeFact): Fact | undefined {
  if (fact.type === "redirect") {
    const to = device.redirects.get(fact.hook ?? "ingress");
    return to && { ...fact, to: to.name };
  }
  if (fact.type === "mirror") {
    const found = device.mirrors.get(mirrorKey(fact));
    return found && { ...found.fact, to: found.to.name };
  }
  return device.queue && { ...device.queue, at: fact.at };
}

/** As `tc filter del dev LINK HOOK`. */
export function deleteFilters(device: Device, hook: "ingress" | "egress"): void {
  device.redirects.delete(hook);
  for (const [key, { fact }] of device.mirrors) if (fact.hook === hook) device.mirrors.delete(key);
}

/** What lies on one of our links; the host's redirects and mirrors carry no mark of their own. */
export const trafficOf = (device: Device): Fact[] => [
  ...(device.queue === undefined ? [] : [device.queue]),
  ...[...device.redirects].map(
    ([hook, to]): Fact => ({
      type: "redirect",
      at: "host",
      link: device.name,
      to: to.name,
      ...(hook === "egress" ? { hook } : {}),
    }),
  ),
  ...[...device.mirrors.values()].map(({ fact, to }): Fact => ({ ...fact, to: to.name })),
];

/** A filter that sends to a device goes with the device. */
export function forgetTarget(device: Device, gone: Device): void {
  for (const [hook, to] of device.redirects) if (to === gone) device.redirects.delete(hook);
  for (const [key, { to }] of device.mirrors) if (to === gone) device.mirrors.delete(key);
}

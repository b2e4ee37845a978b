/**
 * From settings and addresses to the attachment as a value: its facts and its result. Pure; the one place where
 * attachment types, add-ons and results meet.
 */
import { assemble } from "#lib/attach/assemble.ts";
import { chained } from "#lib/attach/chained.ts";
import type { Attached, PodAddress, PodRoute } from "#lib/attach/kind.ts";
import { plan } from "#lib/attach/kinds.ts";
import { hostLinkName, linkAlias, podMac } from "#lib/attach/names.ts";
import type { Dns, NetConf, Result, ResultRoute } from "#lib/cni/types.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { AttachmentKey } from "#lib/store/store.ts";
import type { Settings } from "./settings.ts";

export interface Decided {
  readonly facts: readonly Fact[];
  readonly result: Result;
}

export interface Given {
  readonly addresses: readonly PodAddress[];
  /** Routes that came with the addresses; an IPAM's routes come before the network's own. */
  readonly routes: readonly PodRoute[];
  readonly dns: Dns;
}

/** @throws SelvedgeError config-invalid, unsupported-field */
export function decide(
  key: AttachmentKey,
  conf: NetConf,
  settings: Settings,
  given: Given,
  { netns, pathMtu }: { netns: string; pathMtu: number },
): Decided {
  const mtu = settings.mtu ?? pathMtu;
  const attached: Omit<Attached, "published"> = {
    containerId: key.containerId,
    ifname: key.ifname,
    hostLink: hostLinkName(key),
    alias: linkAlias(key),
    mac: conf.wishes.mac ?? podMac(key),
    addresses: given.addresses,
    routes: [...given.routes, ...settings.routes],
    mtu,
  };
  const built = assemble(plan(settings.attachment, settings.options), attached, {
    masquerade: settings.ipMasq,
    spoofProtection: settings.spoofProtection,
    portMappings: conf.wishes.portMappings,
    ...(conf.wishes.bandwidth === undefined ? {} : { bandwidth: conf.wishes.bandwidth }),
  });
  const host = built.hostInterfaces;
  return {
    facts: [...built.shared, ...built.facts],
    result: {
      interfaces: [...host, { name: key.ifname, mac: attached.mac, mtu, sandbox: netns }],
      ips: built.ips.map((ip) => ({ ...ip, interface: host.length })),
      routes: built.routes.map(resultRoute),
      dns: given.dns,
    },
  };
}

/** Behind another plugin: its result is passed on, and only what is asked for is added. @throws SelvedgeError config-invalid */
export function decideChained(key: AttachmentKey, conf: NetConf, previous: Result): Decided {
  const wanted = chained(previous, key, {
    masquerade: conf.ipMasq ?? false,
    // The link is another plugin's: what it lets through is that plugin's business unless it is asked for.
    spoofProtection: conf.spoofProtection ?? false,
    portMappings: conf.wishes.portMappings,
    ...(conf.wishes.bandwidth === undefined ? {} : { bandwidth: conf.wishes.bandwidth }),
  });
  return { facts: [...wanted.shared, ...wanted.facts], result: previous };
}

const resultRoute = ({ to, via, metric, ...rest }: PodRoute): ResultRoute => ({
  dst: to,
  ...(via === undefined ? {} : { gw: via }),
  ...rest,
  ...(metric === undefined ? {} : { priority: metric }),
});

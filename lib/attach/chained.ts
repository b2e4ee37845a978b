/**
 * An attachment behind another plugin: links, addresses and routes are that plugin's. Only the filter, masquerade, host
 * ports and bandwidth are added, on the link that its result names.
 */
import { addressOf, mac } from "#lib/address.ts";
import type { Result, ResultInterface } from "#lib/cni/types.ts";
import type { Fact } from "#lib/state/fact.ts";
import { addOns, lacking, type Sender, type Wishes } from "./add-ons.ts";
import type { Built } from "./kind.ts";
import { hairpinElements, localnetElement } from "./localnet.ts";
import type { Key } from "./names.ts";

/** Own facts and shared ones, as in `Built`. */
export type Chained = Pick<Built, "facts" | "shared">;

/**
 * @throws SelvedgeError config-invalid when the result lacks what a wish needs: the pod's interface, its MAC, or an
 *   interface on the host; and for host ports and rates that cannot be
 */
export function chained(previous: Result, key: Key, wishes: Wishes): Chained {
  const { sender, outermost } = senderOf(previous, key, wishes);
  const ported = wishes.portMappings.length > 0 && outermost !== undefined;
  // On a bridge a pod may also ask for the port of a neighbour.
  const bounced = outermost !== undefined && (ported || sender.guard === "bridge");
  return {
    facts: [...addOns(sender, wishes), ...(bounced ? hairpinElements(outermost, sender.addresses) : [])],
    shared: ported ? portSide(outermost) : [],
  };
}

/**
 * The reference plugins list the host's interfaces from the bridge to the pair: the last one is the host's end, and the
 * one before it is the bridge that it is a port of. `outermost` is where packets from the node to the pod leave.
 */
function senderOf(previous: Result, key: Key, wishes: Wishes): { sender: Sender; outermost: string | undefined } {
  const index = previous.interfaces.findIndex((i) => i.name === key.ifname && inPod(i));
  const pod = previous.interfaces[index];
  if (pod === undefined) throw lacking(`an interface ${key.ifname} with a sandbox`, "Check the order of the plugins.");
  const host = previous.interfaces.filter((i) => !inPod(i)).map((i) => i.name);
  const link = host.at(-1);
  const sender: Sender = {
    containerId: key.containerId,
    ifname: key.ifname,
    addresses: previous.ips
      .filter((ip) => ip.interface === undefined || ip.interface === index)
      .map((ip) => addressOf(ip.address)),
    ...(pod.mac && (wishes.spoofProtection || wishes.qos !== undefined)
      ? { mac: mac(pod.mac, `prevResult.interfaces[${index}].mac`) }
      : {}),
    ...(pod.mtu ? { mtu: pod.mtu } : {}),
    ...(link === undefined ? {} : { link, outermost: host.at(-2) ?? link }),
    guard: host.length > 1 ? "bridge" : "inet",
  };
  return { sender, outermost: host.at(-2) ?? link };
}

const inPod = (i: ResultInterface): boolean => i.sandbox !== undefined && i.sandbox !== "";

/** The link is not ours and therefore no fact; only its switch is. Pods behind one bridge want the same. */
const portSide = (link: string): Fact[] => [
  { type: "sysctl", at: "host", key: `net/ipv4/conf/${link}/route_localnet`, value: "1" },
  localnetElement(link),
];

/** A virtual function whose end on the node is a port of a bridge, as the host's end of a pod's pair is. Pure. */
import { SelvedgeError } from "#lib/errors.ts";
import { type Found, fields, refuse } from "#lib/parse.ts";
import type { Representor } from "#lib/state/device.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import { bridge } from "../bridge/bridge.ts";
import { type BridgeSpec, parse } from "../bridge/spec.ts";
import { deviceOf } from "../device.ts";
import type { Attached, Built } from "../kind.ts";
import { portMac, representorAlias } from "../names.ts";

/** The fields of the attachment type `bridge`, as far as they are the port's and the bridge's. @throws SelvedgeError config-invalid */
export function parseRepresentor(found: Found): BridgeSpec {
  const spec = parse(found);
  if (spec.disabled)
    refuse(fields(found)("disableContainerInterface"), "possible here: the pod's interface is the function");
  return spec;
}

/** `own`: the function as it is without. @throws SelvedgeError config-invalid, conflict */
export function onBridge(spec: BridgeSpec, attached: Attached, own: Built): Built {
  const representor = representorOf(attached);
  const { mac = portMac(attached) } = representor.link;
  const port = bridge.desired(spec, attached);
  const beside = port.facts.flatMap((fact) => (fact.type === "link" ? asPort(fact, attached, representor) : [fact]));
  const isLinked = own.facts.some(({ type }) => type === "link");
  return {
    ...port,
    ...(own.pciId === undefined ? {} : { pciId: own.pciId }),
    facts: [
      ...own.facts.filter(({ type }) => type !== "address" && type !== "route"),
      ...beside.filter(({ at }) => at === "host" || isLinked),
    ],
    hostInterfaces: port.hostInterfaces.with(-1, { name: attached.hostLink, mac, mtu: attached.mtu }),
  };
}

/** The host's end of the pair as the representor; the pod's end is the function. */
function asPort(
  { at, peer: _, mac: __, noIpv6LinkLocal: ___, ...link }: LinkFact,
  attached: Attached,
  { link: lent }: Representor,
): Fact[] {
  return at === "pod" ? [] : [{ ...link, at, kind: "device", alias: representorAlias(attached), lent }];
}

function representorOf(attached: Attached): Representor {
  const { pci = "", virtual } = deviceOf(attached);
  const found = virtual?.representor;
  if (virtual === undefined || found === undefined)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "representor" },
      `representor: virtual function ${virtual?.index ?? ""} of ${virtual?.link ?? pci} has none`,
      { hint: "Its card must be a switch: `devlink dev eswitch set pci/… mode switchdev`." },
    );
  if (found.isPort)
    throw new SelvedgeError(
      { kind: "conflict", what: found.link.name },
      `representor: ${found.link.name}, that of virtual function ${virtual.index} of ${virtual.link}, is a port of something already`,
      { hint: `\`ip link set ${found.link.name} nomaster\` frees it.` },
    );
  return found;
}

/** Tunnels to other clusters and clouds (VyOS: interfaces wireguard, interfaces vti, vpn ipsec). */
import { hostPrefix } from "#lib/address.ts";
import { type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { IpsecSpec, RouterSpec, SiteSpec, WireguardSpec } from "../router.ts";

/** Names of the groups of proposals, the same for all. */
const GROUP = "SELVEDGE";

export function sites({ sites: all }: RouterSpec): Piece[] {
  return [
    ...all.flatMap((site) => [
      ...(site.wireguard === undefined ? [] : [wireguard(site, site.wireguard)]),
      ...(site.ipsec === undefined ? [] : ipsec(site, site.ipsec)),
    ]),
    ...(all.some((site) => site.ipsec !== undefined) ? proposals() : []),
  ];
}

function wireguard({ name, interface: link, addresses, networks, bgp }: SiteSpec, spec: WireguardSpec): Piece {
  const at = pathFrom("interfaces", "wireguard", link);
  const peer = (...words: (string | number)[]): Path => pathFrom(...at, "peer", name, ...words);
  return {
    at,
    paths: [
      ...addresses.map((address) => pathFrom(...at, "address", address)),
      pathFrom(...at, "private-key", spec.privateKey),
      pathFrom(...at, "port", spec.port),
      peer("public-key", spec.publicKey),
      ...(spec.presharedKey === undefined ? [] : [peer("preshared-key", spec.presharedKey)]),
      ...(spec.endpoint === undefined
        ? []
        : [peer("address", spec.endpoint.address), peer("port", spec.endpoint.port)]),
      ...(spec.keepaliveSeconds === undefined ? [] : [peer("persistent-keepalive", spec.keepaliveSeconds)]),
      ...networks.map((network) => peer("allowed-ips", network)),
      ...(bgp === undefined ? [] : [peer("allowed-ips", hostPrefix(bgp.neighbour))]),
    ],
  };
}

const IPSEC: Path = ["vpn", "ipsec"];

function ipsec({ name, interface: link, addresses }: SiteSpec, { local, remote, secret }: IpsecSpec): Piece[] {
  const own = `selvedge-${name}`;
  const key = pathFrom(...IPSEC, "authentication", "psk", own);
  const peer = pathFrom(...IPSEC, "site-to-site", "peer", own);
  const vti = pathFrom("interfaces", "vti", link);
  const below = (...words: string[]): Path => pathFrom(...peer, ...words);
  return [
    { at: vti, paths: addresses.map((address) => pathFrom(...vti, "address", address)) },
    {
      at: key,
      paths: [...[local, remote].map((id) => pathFrom(...key, "id", id)), pathFrom(...key, "secret", secret)],
    },
    {
      at: peer,
      needs: [vti],
      paths: [
        below("authentication", "mode", "pre-shared-secret"),
        below("authentication", "local-id", local),
        below("authentication", "remote-id", remote),
        below("connection-type", "initiate"),
        below("ike-group", GROUP),
        below("local-address", local),
        below("remote-address", remote),
        below("vti", "bind", link),
        below("vti", "esp-group", GROUP),
      ],
    },
  ];
}

/** IKEv2 with AES-256-GCM and the 3072-bit MODP group (RFC 8247 and RFC 8221: both to be supported). */
function proposals(): Piece[] {
  const [ike, esp] = (["ike-group", "esp-group"] as const).map((kind) => pathFrom(...IPSEC, kind, GROUP)) as [
    Path,
    Path,
  ];
  const cipher = (at: Path): Path[] => [
    pathFrom(...at, "proposal", 1, "encryption", "aes256gcm128"),
    pathFrom(...at, "proposal", 1, "hash", "sha256"),
  ];
  return [
    {
      at: ike,
      paths: [
        pathFrom(...ike, "key-exchange", "ikev2"),
        ...cipher(ike),
        pathFrom(...ike, "proposal", 1, "dh-group", 15),
        pathFrom(...ike, "proposal", 1, "prf", "prfsha256"),
        pathFrom(...ike, "dead-peer-detection", "action", "restart"),
        pathFrom(...ike, "dead-peer-detection", "interval", 10),
        pathFrom(...ike, "dead-peer-detection", "timeout", 30),
      ],
    },
    { at: esp, paths: cipher(esp) },
  ];
}

/** A router as lib/edge has it: as it is configured, with its secrets. */
import type { EdgePair, EdgeRouter, EdgeSite } from "#lib/config/edge.ts";
import { pairOf } from "#lib/config/edge-pairs.ts";
import type { BgpSpec, RouterSpec, SiteSpec } from "#lib/edge/router.ts";
import { SelvedgeError } from "#lib/errors.ts";

/** First line of a file. @throws SelvedgeError config-invalid */
export type SecretIn = (file: string) => Promise<string>;

/** @throws SelvedgeError config-invalid naming a file */
export async function specOf(router: EdgeRouter, pairs: readonly EdgePair[], secretIn: SecretIn): Promise<RouterSpec> {
  const { name, pools, nat, groups, loadBalancers, virtualServers, zones, vrfs, shapers, legs } = router;
  const pair = pairOf(pairs, name);
  return {
    name,
    pools,
    nat,
    groups,
    loadBalancers,
    virtualServers,
    vrfs,
    shapers,
    legs,
    sites: await Promise.all(router.sites.map((site) => siteOf(site, secretIn))),
    ...(pair === undefined ? {} : { pair }),
    ...(zones.length === 0 ? {} : { forwarding: { zones } }),
    ...(router.firewall === undefined ? {} : { firewall: router.firewall }),
    ...(router.static === undefined ? {} : { static: router.static }),
    ...(router.bgp === undefined ? {} : { bgp: await bgpOf(router.bgp, secretIn) }),
  };
}

async function bgpOf({ passwordFile, ...bgp }: NonNullable<EdgeRouter["bgp"]>, secretIn: SecretIn): Promise<BgpSpec> {
  return passwordFile === undefined ? bgp : { ...bgp, password: await passwordIn(passwordFile, secretIn) };
}

/** linux/tcp.h, TCP_MD5SIG_MAXKEYLEN (v6.12); FRR, and VyOS with it, takes one word. */
async function passwordIn(file: string, secretIn: SecretIn): Promise<string> {
  const password = await secretIn(file);
  if (/^[!-~]{1,80}$/.test(password) && !password.includes("?")) return password;
  throw new SelvedgeError(
    { kind: "config-invalid", field: "edge.routers.bgp.passwordFile" },
    `edge: the password in ${file} must be 1 to 80 printable ASCII characters without spaces and question marks`,
  );
}

async function siteOf({ wireguard, ipsec, ...site }: EdgeSite, secretIn: SecretIn): Promise<SiteSpec> {
  if (ipsec !== undefined) {
    const { secretFile, ...ends } = ipsec;
    return { ...site, ipsec: { ...ends, secret: await secretIn(secretFile) } };
  }
  if (wireguard === undefined) return site;
  const { keyFile, presharedKeyFile, ...peer } = wireguard;
  const privateKey = await secretIn(keyFile);
  if (presharedKeyFile === undefined) return { ...site, wireguard: { ...peer, privateKey } };
  return { ...site, wireguard: { ...peer, privateKey, presharedKey: await secretIn(presharedKeyFile) } };
}

/** A router as lib/edge has it: as it is configured, with its secrets. */
import type { EdgeRouter, EdgeSite } from "#lib/config/edge.ts";
import type { BgpSpec, RouterSpec, SiteSpec } from "#lib/edge/router.ts";

/** First line of a file. @throws SelvedgeError config-invalid */
export type SecretIn = (file: string) => Promise<string>;

/** @throws SelvedgeError config-invalid naming a file */
export async function specOf(router: EdgeRouter, secretIn: SecretIn): Promise<RouterSpec> {
  const { name, pools, nat, groups, loadBalancers, zones, vrfs, shapers } = router;
  return {
    name,
    pools,
    nat,
    groups,
    loadBalancers,
    vrfs,
    shapers,
    sites: await Promise.all(router.sites.map((site) => siteOf(site, secretIn))),
    ...(zones.length === 0 ? {} : { forwarding: { zones } }),
    ...(router.firewall === undefined ? {} : { firewall: router.firewall }),
    ...(router.static === undefined ? {} : { static: router.static }),
    ...(router.bgp === undefined ? {} : { bgp: await bgpOf(router.bgp, secretIn) }),
  };
}

async function bgpOf({ passwordFile, ...bgp }: NonNullable<EdgeRouter["bgp"]>, secretIn: SecretIn): Promise<BgpSpec> {
  return passwordFile === undefined ? bgp : { ...bgp, password: await secretIn(passwordFile) };
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

/** A router as lib/edge has it: as it is configured, with its secrets. */
import type { EdgePair, EdgeRouter, EdgeSite, SecretReference } from "#lib/config/edge.ts";
import { pairOf } from "#lib/config/edge-pairs.ts";
import type { BgpSpec, RouterSpec, SiteSpec } from "#lib/edge/router.ts";
import type { CalledRouter } from "#lib/edge/speaker-spec.ts";
import { SelvedgeError } from "#lib/errors.ts";

/** @throws SelvedgeError config-invalid, not-ready */
export type SecretFrom = (reference: SecretReference) => Promise<string>;

/** @throws SelvedgeError config-invalid, not-ready: naming where a secret should be */
export async function specOf(
  router: EdgeRouter,
  pairs: readonly EdgePair[],
  secretFrom: SecretFrom,
): Promise<RouterSpec> {
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
    sites: await Promise.all(router.sites.map((site) => siteOf(site, secretFrom))),
    ...(pair === undefined ? {} : { pair }),
    ...(zones.length === 0 ? {} : { forwarding: { zones } }),
    ...(router.firewall === undefined ? {} : { firewall: router.firewall }),
    ...(router.static === undefined ? {} : { static: router.static }),
    ...(router.bgp === undefined ? {} : { bgp: await bgpOf(router.bgp, secretFrom) }),
  };
}

/**
 * As far as FRR on the nodes needs it: the secrets of the router's sites are nothing to them.
 * @throws SelvedgeError config-invalid, not-ready: naming where the password should be
 */
export async function calledOf({ name, pools, bgp }: EdgeRouter, secretFrom: SecretFrom): Promise<CalledRouter> {
  return { name, pools, ...(bgp === undefined ? {} : { bgp: await bgpOf(bgp, secretFrom) }) };
}

async function bgpOf({ password, ...bgp }: NonNullable<EdgeRouter["bgp"]>, secretFrom: SecretFrom): Promise<BgpSpec> {
  return password === undefined ? bgp : { ...bgp, password: await passwordIn(password, secretFrom) };
}

/** linux/tcp.h, TCP_MD5SIG_MAXKEYLEN (v6.12); FRR, and VyOS with it, takes one word. */
async function passwordIn(reference: SecretReference, secretFrom: SecretFrom): Promise<string> {
  const password = await secretFrom(reference);
  if (/^[!-~]{1,80}$/.test(password) && !password.includes("?")) return password;
  throw new SelvedgeError(
    { kind: "config-invalid", field: "edge.routers.bgp.password" },
    `edge: the password in ${placeOf(reference)} must be 1 to 80 printable ASCII characters without spaces and question marks`,
  );
}

function placeOf({ file, environment, secret }: SecretReference): string {
  if (secret !== undefined) return `${JSON.stringify(secret.key)} of Secret ${secret.namespace}/${secret.name}`;
  return file ?? `$${environment}`;
}

async function siteOf({ wireguard, ipsec, ...site }: EdgeSite, secretFrom: SecretFrom): Promise<SiteSpec> {
  if (ipsec !== undefined) return { ...site, ipsec: { ...ipsec, secret: await secretFrom(ipsec.secret) } };
  if (wireguard === undefined) return site;
  const { privateKey, presharedKey, ...peer } = wireguard;
  const keys = {
    privateKey: await secretFrom(privateKey),
    ...(presharedKey === undefined ? {} : { presharedKey: await secretFrom(presharedKey) }),
  };
  return { ...site, wireguard: { ...peer, ...keys } };
}

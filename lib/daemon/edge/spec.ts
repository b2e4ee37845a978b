/** A router as lib/edge has it: as it is configured, with its secrets. */
import type { EdgePair, EdgeRouter, EdgeSite, SecretReference } from "#lib/config/edge.ts";
import { pairOf } from "#lib/config/edge-pairs.ts";
import { isValue } from "#lib/edge/path.ts";
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
export async function calledOf(
  { name, pools, bgp }: Pick<EdgeRouter, "name" | "pools" | "bgp">,
  secretFrom: SecretFrom,
): Promise<CalledRouter> {
  return { name, pools, ...(bgp === undefined ? {} : { bgp: await bgpOf(bgp, secretFrom) }) };
}

async function bgpOf({ password, ...bgp }: NonNullable<EdgeRouter["bgp"]>, secretFrom: SecretFrom): Promise<BgpSpec> {
  return password === undefined ? bgp : { ...bgp, password: await secretIn(password, secretFrom, PASSWORD) };
}

interface Form {
  readonly field: string;
  readonly what: string;
  readonly is: (secret: string) => boolean;
  /** In words. */
  readonly right: string;
}

/** linux/tcp.h, TCP_MD5SIG_MAXKEYLEN (v6.12); FRR, and VyOS with it, takes one word. */
const PASSWORD: Form = {
  field: "edge.routers.bgp.password",
  what: "password",
  is: (secret) => /^[!-~]{1,80}$/.test(secret) && !/[?'"]/.test(secret),
  right: "1 to 80 printable ASCII characters without spaces, quotes and question marks",
};
const PSK: Form = {
  field: "edge.routers.sites.ipsec.secret",
  what: "secret",
  is: isValue,
  right: "characters without quotes and control characters",
};
/** wg(8) */
const keyOf = (which: "privateKey" | "presharedKey"): Form => ({
  field: `edge.routers.sites.wireguard.${which}`,
  what: "key",
  is: (secret) => /^[A-Za-z0-9+/]{43}=$/.test(secret),
  right: "a WireGuard key: 32 bytes in base64",
});

/** @throws SelvedgeError config-invalid: naming the place, never the secret */
async function secretIn(reference: SecretReference, secretFrom: SecretFrom, form: Form): Promise<string> {
  const secret = await secretFrom(reference);
  if (form.is(secret)) return secret;
  throw new SelvedgeError(
    { kind: "config-invalid", field: form.field },
    `edge: the ${form.what} in ${placeOf(reference)} must be ${form.right}`,
  );
}

function placeOf({ file, environment, secret }: SecretReference): string {
  if (secret !== undefined) return `${JSON.stringify(secret.key)} of Secret ${secret.namespace}/${secret.name}`;
  return file ?? `$${environment}`;
}

async function siteOf({ wireguard, ipsec, ...site }: EdgeSite, secretFrom: SecretFrom): Promise<SiteSpec> {
  if (ipsec !== undefined)
    return { ...site, ipsec: { ...ipsec, secret: await secretIn(ipsec.secret, secretFrom, PSK) } };
  if (wireguard === undefined) return site;
  const { privateKey, presharedKey, ...peer } = wireguard;
  const keys = {
    privateKey: await secretIn(privateKey, secretFrom, keyOf("privateKey")),
    ...(presharedKey === undefined
      ? {}
      : { presharedKey: await secretIn(presharedKey, secretFrom, keyOf("presharedKey")) }),
  };
  return { ...site, wireguard: { ...peer, ...keys } };
}

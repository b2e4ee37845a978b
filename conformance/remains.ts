/** What plugins have put onto a node, as lines, so that two moments can be compared. */
import { inside, must, run } from "./program.ts";
import { isObject, type Json, type JsonObject } from "./subject.ts";

/** Links, routes, neighbours, set elements and chains that belong to attachments; bridges and tables may stay. */
export async function remains(namespace: string): Promise<string[]> {
  const read = async (...argv: string[]) => objects(JSON.parse((await must(inside(namespace, argv))) || "[]"));
  const [links, neighbours, routes, elements] = await Promise.all([
    read("ip", "-j", "-d", "link", "show"),
    read("ip", "-j", "neigh", "show", "nud", "permanent"),
    Promise.all(["-4", "-6"].map((family) => read("ip", "-j", family, "route", "show", "table", "all"))),
    firewall(namespace),
  ]);
  const shared = links.filter((link) => lasting(link)).map((link) => link.ifname);
  // On a link that leads to pods of its parent, what is not of the link itself is of one of them.
  const leading = links.filter(({ ifalias }) => isShared(ifalias)).map((link) => link.ifname);
  const ofAttachments = (one: JsonObject) =>
    "dev" in one &&
    (!shared.includes(one.dev) || (leading.includes(one.dev) && one.table === undefined && one.protocol !== "kernel"));
  return [
    ...links.filter((link) => !lasting(link)).map(({ ifname }) => `link ${ifname}`),
    ...routes
      .flat()
      .filter(ofAttachments)
      .map(({ dst, dev }) => `route ${dst} dev ${dev}`),
    ...neighbours.filter(ofAttachments).map(({ dst, dev }) => `neighbour ${dst} dev ${dev}`),
    ...elements,
  ].toSorted();
}

/** Links that no single attachment owns. */
function lasting({ ifname, linkinfo, ifalias }: JsonObject): boolean {
  if (ifname === "lo" || ifname === "uplink" || isShared(ifalias)) return true;
  return isObject(linkinfo) && linkinfo.info_kind === "bridge";
}

/** What leads to pods on one of the node's links, or carries their VLANs: it goes some time after the last of them. */
const isShared = (alias: Json | undefined): boolean => /^selvedge (shim|vlan) /.test(String(alias));

async function firewall(namespace: string): Promise<string[]> {
  // The chains of iptables-nft hold expressions that nft complains of; what it prints is still whole.
  const { stdout } = await run(inside(namespace, ["nft", "-j", "list", "ruleset"]));
  const ruleset: Json = stdout === "" ? {} : JSON.parse(stdout);
  const items = isObject(ruleset) ? objects(ruleset.nftables) : [];
  return items.flatMap((item) => {
    const { set, map, chain } = item;
    const container = isObject(set) ? set : map;
    if (isObject(container) && container.table === "selvedge" && Array.isArray(container.elem))
      return container.elem.map((elem) => `element ${container.name} ${JSON.stringify(elem)}`);
    // The reference gives each attachment a chain whose name is a hash.
    if (isObject(chain) && /^CNI-(DN-)?[0-9a-f]{20,}/.test(String(chain.name))) return [`chain ${chain.name}`];
    return [];
  });
}

const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

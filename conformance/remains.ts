/** What plugins have put onto a node, as lines, so that two moments can be compared. */
import { inside, must } from "./program.ts";
import { isObject, type Json, type JsonObject } from "./subject.ts";

/** Behind each answer: a record separator (ASCII), which no JSON holds. */
const END = "\\036";
/**
 * One program for all of it: two of these looks go with every case. The chains of iptables-nft hold expressions that nft
 * complains of; what it prints is still whole.
 */
const LOOK = `set -e
for words in "-d link show" "neigh show nud permanent" "-4 route show table all" "-6 route show table all"
do ip -j $words; printf '${END}'; done
nft -j list ruleset 2>/dev/null || true`;

/** Links, routes, neighbours, set elements and chains that belong to attachments; bridges and tables may stay. */
export async function remains(namespace: string): Promise<string[]> {
  const said = (await must(inside(namespace, ["/bin/sh", "-c", LOOK]))).split("\x1e");
  const [links = [], neighbours = [], routes4 = [], routes6 = []] = said.map((text) => objects(parsed(text)));
  const shared = links.filter((link) => lasting(link)).map((link) => link.ifname);
  // On a link that leads to pods of its parent, what is not of the link itself is of one of them.
  const leading = links.filter(({ ifalias }) => isShared(ifalias)).map((link) => link.ifname);
  const ofAttachments = (one: JsonObject) =>
    "dev" in one &&
    (!shared.includes(one.dev) || (leading.includes(one.dev) && one.table === undefined && one.protocol !== "kernel"));
  return [
    ...links.filter((link) => !lasting(link)).map(({ ifname }) => `link ${ifname}`),
    ...[...routes4, ...routes6].filter(ofAttachments).map(({ dst, dev }) => `route ${dst} dev ${dev}`),
    ...neighbours.filter(ofAttachments).map(({ dst, dev }) => `neighbour ${dst} dev ${dev}`),
    ...firewall(parsed(said[4] ?? "")),
  ].toSorted();
}

/** Links that no single attachment owns. */
function lasting({ ifname, linkinfo, ifalias }: JsonObject): boolean {
  if (ifname === "lo" || ifname === "uplink" || isShared(ifalias)) return true;
  return isObject(linkinfo) && linkinfo.info_kind === "bridge";
}

/** What leads to pods on one of the node's links, or carries their VLANs: it goes some time after the last of them. */
const isShared = (alias: Json | undefined): boolean => /^selvedge (shim|vlan) /.test(String(alias));

function firewall(ruleset: Json): string[] {
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

/** Nothing printed is an empty list. */
const parsed = (text: string): Json => (text.trim() === "" ? [] : JSON.parse(text));

const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

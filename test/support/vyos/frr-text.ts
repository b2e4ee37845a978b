/**
 * What VyOS makes of a router's configuration for FRR (vyos-1x data/templates/frr: staticd, policy, bgpd of 1.4), as far as
 * Selvedge sets it, and outside of VRFs.
 */
import type { Tree } from "#lib/edge/tree.ts";
import { say, type Words, words } from "./words.ts";

export function frrText(running: Tree): string {
  const router = words(running);
  const lines = [
    ...statics(router.at("protocols", "static")),
    ...lists(router.at("policy"), "prefix-list", "ip"),
    ...lists(router.at("policy"), "prefix-list6", "ipv6"),
    ...routeMaps(router.at("policy")),
    ...bgp(router.at("protocols", "bgp")),
  ];
  return `${lines.join("\n")}\n`;
}

/** staticd.frr.j2, static_routes_macro.j2 */
function statics(config: Words): string[] {
  return (
    [
      ["route", "ip"],
      ["route6", "ipv6"],
    ] as const
  ).flatMap(([node, word]) =>
    config.names(node).flatMap((to) => {
      const route = config.at(node, to);
      const line = (target: string, of: Words) => `${word} route ${to} ${target}${plain(of.one("distance"))}`;
      return [
        ...(route.has("blackhole") ? [line("blackhole", route.at("blackhole"))] : []),
        ...(route.has("reject") ? [line("reject", route.at("reject"))] : []),
        ...route.names("interface").map((link) => line(link, route.at("interface", link))),
        ...route
          .names("next-hop")
          .filter((hop) => !route.has("next-hop", hop, "disable"))
          .map((hop) => line(hop, route.at("next-hop", hop))),
      ];
    }),
  );
}

const plain = (value: string | undefined): string => (value === undefined ? "" : ` ${value}`);

/** policy.frr.j2 */
function lists(policy: Words, node: string, word: string): string[] {
  return policy.names(node).flatMap((name) =>
    policy.names(node, name, "rule").map((number) => {
      const rule = policy.at(node, name, "rule", number);
      return `${word} prefix-list ${name} seq ${number} ${rule.one("action")} ${rule.one("prefix")}${say("ge", rule.one("ge"))}${say("le", rule.one("le"))}`;
    }),
  );
}

function routeMaps(policy: Words): string[] {
  return policy.names("route-map").flatMap((name) =>
    policy.names("route-map", name, "rule").flatMap((number) => {
      const rule = policy.at("route-map", name, "rule", number);
      const community = rule.names("set", "community", "add");
      const matches = (["ip", "ipv6"] as const).flatMap((word) => {
        const list = rule.one("match", word, "address", "prefix-list");
        return list === undefined ? [] : [` match ${word} address prefix-list ${list}`];
      });
      const preference = rule.one("set", "local-preference");
      return [
        `route-map ${name} ${rule.one("action")} ${number}`,
        ...matches,
        ...(community.length === 0 ? [] : [` set community ${community.join(" ")} additive`]),
        ...(preference === undefined ? [] : [` set local-preference ${preference}`]),
        "exit",
      ];
    }),
  );
}

/** bgpd.frr.j2 */
function bgp(config: Words): string[] {
  const as = config.one("system-as");
  if (as === undefined) return [];
  return [
    `router bgp ${as}`,
    ...[
      ...(config.has("parameters", "ebgp-requires-policy") ? [] : ["no bgp ebgp-requires-policy"]),
      "no bgp default ipv4-unicast",
      ...config
        .names("peer-group")
        .flatMap((name) => [`neighbor ${name} peer-group`, ...peer(config.at("peer-group", name), name)]),
      ...config.names("neighbor").flatMap((address) => {
        const neighbour = config.at("neighbor", address);
        const group = neighbour.one("peer-group");
        return [
          ...(group === undefined ? [] : [`neighbor ${address} peer-group ${group}`]),
          ...peer(neighbour, address),
        ];
      }),
      ...config
        .names("listen", "range")
        .map(
          (prefix) => `bgp listen range ${prefix} peer-group ${config.one("listen", "range", prefix, "peer-group")}`,
        ),
      "no bgp network import-check",
      ...(["ipv4", "ipv6"] as const).flatMap((family) => unicast(config, family)),
    ].map((line) => ` ${line}`),
    "exit",
  ];
}

function peer(config: Words, name: string): string[] {
  const leaf = (word: string, value: string | undefined) =>
    value === undefined ? [] : [`neighbor ${name} ${word} ${value}`];
  return [
    ...leaf("remote-as", config.one("remote-as")),
    ...(config.has("bfd") ? [`neighbor ${name} bfd`] : []),
    ...leaf("ebgp-multihop", config.one("ebgp-multihop")),
    ...leaf("password", config.one("password")),
    ...(config.has("timers", "holdtime")
      ? [`neighbor ${name} timers ${config.one("timers", "keepalive")} ${config.one("timers", "holdtime")}`]
      : []),
  ];
}

function unicast(config: Words, family: "ipv4" | "ipv6"): string[] {
  const node = `${family}-unicast`;
  const global = config.at("address-family", node);
  const peers = [
    ...config.names("peer-group").map((name) => [name, config.at("peer-group", name)] as const),
    ...config.names("neighbor").map((name) => [name, config.at("neighbor", name)] as const),
  ].filter(([, of]) => of.has("address-family", node));
  if (peers.length === 0 && global.names().length === 0) return [];
  return [
    `address-family ${family} unicast`,
    ...[
      ...(["ebgp", "ibgp"] as const).flatMap((kind) => {
        const paths = global.one("maximum-paths", kind);
        return paths === undefined ? [] : [`maximum-paths ${kind === "ibgp" ? "ibgp " : ""}${paths}`];
      }),
      ...global.names("network").map((prefix) => `network ${prefix}`),
      ...peers.flatMap(([name, of]) => {
        const family = of.at("address-family", node);
        const leaf = (word: string, value: string | undefined, after = "") =>
          value === undefined ? [] : [`neighbor ${name} ${word} ${value}${after}`];
        return [
          ...(family.has("default-originate") ? [`neighbor ${name} default-originate`] : []),
          ...leaf("maximum-prefix", family.one("maximum-prefix")),
          ...leaf("route-map", family.one("route-map", "export"), " out"),
          ...leaf("route-map", family.one("route-map", "import"), " in"),
          `neighbor ${name} activate`,
        ];
      }),
    ].map((line) => ` ${line}`),
    "exit-address-family",
  ];
}

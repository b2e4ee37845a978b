/** The tables of numbers against the kernel's own headers (linux-libc-dev). */
import { readFileSync } from "node:fs";
import { expect } from "@jest/globals";
import { addressMessage, IFA_F, RTM_ADDR } from "#lib/kernel/netlink/address.ts";
import type { AttrTable } from "#lib/kernel/netlink/attr.ts";
import { BRIDGE_FLAGS, RTM_VLAN, VLAN_INFO } from "#lib/kernel/netlink/bridge-vlan.ts";
import { functionAnswer, functionRequest, functionSettings } from "#lib/kernel/netlink/function.ts";
import { bridgePort, DEVCONF_ROUTE_LOCALNET, linkAnswer, linkRequest, RTM_LINK } from "#lib/kernel/netlink/link.ts";
import {
  bridgeData,
  greData,
  IP6_TNL_F_IGN_ENCAP_LIMIT,
  IPVLAN_MODE,
  ipvlanData,
  MACVLAN_MODE,
  macvlanData,
  tunData,
  VLAN_PROTOCOL,
  vlanData,
  vxlanData,
} from "#lib/kernel/netlink/link-data.ts";
import {
  NTF_MASTER,
  NTF_SELF,
  NUD_NOARP,
  NUD_PERMANENT,
  neighbourMessage,
  RTM_NEIGH,
} from "#lib/kernel/netlink/neighbour.ts";
import { NLDEV, NLDEV_COMMAND, rdmaAttrs } from "#lib/kernel/netlink/rdma.ts";
import { RT_SCOPE, RTM_ROUTE, routeMessage } from "#lib/kernel/netlink/route.ts";
import { RTM_RULE, ruleMessage } from "#lib/kernel/netlink/rule.ts";
import {
  htbOptions,
  queueStats,
  RTM_ACTION,
  RTM_CLASS,
  RTM_FILTER,
  RTM_QDISC,
  tbfOptions,
  tcMessage,
  u32Options,
} from "#lib/kernel/netlink/tc.ts";
import {
  allowedIp,
  CTRL_CMD_GETFAMILY,
  familyMessage,
  WG_COMMAND,
  WGPEER_F,
  wireguardDevice,
  wireguardPeer,
} from "#lib/kernel/netlink/wireguard.ts";
import { needing } from "../support/requirement.ts";

const INCLUDE = "/usr/include/linux";
const test = needing({ file: `${INCLUDE}/if_link.h` });

/** The members of every enum and the plain numbers of every #define of a header. */
function numbersIn(header: string): Map<string, number> {
  const source = readFileSync(`${INCLUDE}/${header}`, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "");
  const numbers = new Map<string, number>();
  for (const [, name, value] of source.matchAll(/^#define[ \t]+(\w+)[ \t]+(0x[0-9a-fA-F]+|\d+)[ \t]*$/gm))
    numbers.set(name ?? "", Number(value));
  for (const [, name, bit] of source.matchAll(/^#define[ \t]+(\w+)[ \t]+\(1 ?<< ?(\d+)\)/gm))
    numbers.set(name ?? "", 1 << Number(bit));
  for (const [, body] of source.matchAll(/enum(?:\s+\w+)?\s*\{([^}]*)\}/g)) {
    let next = 0;
    for (const member of (body ?? "").replaceAll(/^#.*$/gm, "").split(",")) {
      const [name = "", value] = member.split("=").map((part) => part.trim());
      if (!/^\w+$/.test(name)) continue;
      const [, bit] = /^1U? ?<< ?(\d+)$/.exec(value ?? "") ?? [];
      if (bit !== undefined) next = 1 << Number(bit);
      else next = value === undefined ? next : (numbers.get(value) ?? Number(value));
      numbers.set(name, next++);
    }
  }
  return numbers;
}

const types = (table: AttrTable): Record<string, number> =>
  Object.fromEntries(Object.entries(table).map(([name, [type]]) => [name, type]));

const cases: [header: string, ours: Readonly<Record<string, number>>, theirs: Readonly<Record<string, string>>][] = [
  [
    "if_link.h",
    { ...types(linkAnswer.attrs.table), ...types(linkRequest.attrs.table) },
    {
      address: "IFLA_ADDRESS",
      name: "IFLA_IFNAME",
      mtu: "IFLA_MTU",
      link: "IFLA_LINK",
      master: "IFLA_MASTER",
      alias: "IFLA_IFALIAS",
      group: "IFLA_GROUP",
      netNsFd: "IFLA_NET_NS_FD",
      extMask: "IFLA_EXT_MASK",
      txQueues: "IFLA_NUM_TX_QUEUES",
      rxQueues: "IFLA_NUM_RX_QUEUES",
      netNsId: "IFLA_LINK_NETNSID",
      info: "IFLA_LINKINFO",
      specific: "IFLA_AF_SPEC",
    },
  ],
  [
    "if_link.h",
    types(bridgePort.table),
    {
      mode: "IFLA_BRPORT_MODE",
      learning: "IFLA_BRPORT_LEARNING",
      unicastFlood: "IFLA_BRPORT_UNICAST_FLOOD",
      multicastFlood: "IFLA_BRPORT_MCAST_FLOOD",
      broadcastFlood: "IFLA_BRPORT_BCAST_FLOOD",
      suppressNeighbours: "IFLA_BRPORT_NEIGH_SUPPRESS",
    },
  ],
  [
    "if_link.h",
    { ...types(functionAnswer.attrs.table), ...types(functionRequest.attrs.table) },
    {
      address: "IFLA_ADDRESS",
      name: "IFLA_IFNAME",
      mtu: "IFLA_MTU",
      master: "IFLA_MASTER",
      info: "IFLA_LINKINFO",
      alias: "IFLA_IFALIAS",
      functions: "IFLA_VFINFO_LIST",
      extMask: "IFLA_EXT_MASK",
      switchId: "IFLA_PHYS_SWITCH_ID",
      portName: "IFLA_PHYS_PORT_NAME",
      parentName: "IFLA_PARENT_DEV_NAME",
      parentBus: "IFLA_PARENT_DEV_BUS_NAME",
    },
  ],
  [
    "if_link.h",
    types(functionSettings.table),
    {
      mac: "IFLA_VF_MAC",
      spoofCheck: "IFLA_VF_SPOOFCHK",
      linkState: "IFLA_VF_LINK_STATE",
      rate: "IFLA_VF_RATE",
      trust: "IFLA_VF_TRUST",
      vlans: "IFLA_VF_VLAN_LIST",
    },
  ],
  [
    "../rdma/rdma_netlink.h",
    { ...types(rdmaAttrs.table), nldev: NLDEV, ...NLDEV_COMMAND },
    {
      index: "RDMA_NLDEV_ATTR_DEV_INDEX",
      name: "RDMA_NLDEV_ATTR_DEV_NAME",
      netNsFd: "RDMA_NLDEV_NET_NS_FD",
      nldev: "RDMA_NL_NLDEV",
      get: "RDMA_NLDEV_CMD_GET",
      set: "RDMA_NLDEV_CMD_SET",
    },
  ],
  ["ip.h", { routeLocalnet: DEVCONF_ROUTE_LOCALNET }, { routeLocalnet: "IPV4_DEVCONF_ROUTE_LOCALNET" }],
  [
    "if_addr.h",
    types(addressMessage.attrs.table),
    { address: "IFA_ADDRESS", local: "IFA_LOCAL", lifetime: "IFA_CACHEINFO", flags: "IFA_FLAGS" },
  ],
  ["if_addr.h", IFA_F, { NODAD: "IFA_F_NODAD", NOPREFIXROUTE: "IFA_F_NOPREFIXROUTE" }],
  [
    "rtnetlink.h",
    types(routeMessage.attrs.table),
    {
      to: "RTA_DST",
      oif: "RTA_OIF",
      via: "RTA_GATEWAY",
      metric: "RTA_PRIORITY",
      source: "RTA_PREFSRC",
      metrics: "RTA_METRICS",
      table: "RTA_TABLE",
      otherVia: "RTA_VIA",
    },
  ],
  ["rtnetlink.h", RT_SCOPE, { UNIVERSE: "RT_SCOPE_UNIVERSE", LINK: "RT_SCOPE_LINK" }],
  ["rtnetlink.h", types(tcMessage.attrs.table), { kind: "TCA_KIND", options: "TCA_OPTIONS", stats: "TCA_STATS2" }],
  ["neighbour.h", types(neighbourMessage.attrs.table), { to: "NDA_DST", mac: "NDA_LLADDR" }],
  [
    "fib_rules.h",
    types(ruleMessage.attrs.table),
    {
      from: "FRA_SRC",
      iif: "FRA_IIFNAME",
      priority: "FRA_PRIORITY",
      mark: "FRA_FWMARK",
      table: "FRA_TABLE",
      mask: "FRA_FWMASK",
      protocol: "FRA_PROTOCOL",
    },
  ],
  [
    "pkt_sched.h",
    types(tbfOptions.table),
    { parms: "TCA_TBF_PARMS", rate64: "TCA_TBF_RATE64", burst: "TCA_TBF_BURST" },
  ],
  [
    "pkt_cls.h",
    types(u32Options.table),
    { classId: "TCA_U32_CLASSID", selector: "TCA_U32_SEL", actions: "TCA_U32_ACT" },
  ],
  [
    "pkt_sched.h",
    types(htbOptions.table),
    { parms: "TCA_HTB_PARMS", init: "TCA_HTB_INIT", rate64: "TCA_HTB_RATE64", ceil64: "TCA_HTB_CEIL64" },
  ],
  ["gen_stats.h", types(queueStats.table), { basic: "TCA_STATS_BASIC", queue: "TCA_STATS_QUEUE" }],
  ["rtnetlink.h", RTM_CLASS, { NEW: "RTM_NEWTCLASS", DEL: "RTM_DELTCLASS", GET: "RTM_GETTCLASS" }],
  [
    "if_link.h",
    types(bridgeData.table),
    { vlanFiltering: "IFLA_BR_VLAN_FILTERING", defaultPvid: "IFLA_BR_VLAN_DEFAULT_PVID" },
  ],
  ["if_link.h", types(macvlanData.table), { mode: "IFLA_MACVLAN_MODE", broadcastQueue: "IFLA_MACVLAN_BC_QUEUE_LEN" }],
  [
    "if_link.h",
    MACVLAN_MODE,
    {
      private: "MACVLAN_MODE_PRIVATE",
      vepa: "MACVLAN_MODE_VEPA",
      bridge: "MACVLAN_MODE_BRIDGE",
      passthru: "MACVLAN_MODE_PASSTHRU",
    },
  ],
  ["if_link.h", types(ipvlanData.table), { mode: "IFLA_IPVLAN_MODE" }],
  ["if_link.h", IPVLAN_MODE, { l2: "IPVLAN_MODE_L2", l3: "IPVLAN_MODE_L3", l3s: "IPVLAN_MODE_L3S" }],
  [
    "wireguard.h",
    types(wireguardDevice.attrs.table),
    {
      index: "WGDEVICE_A_IFINDEX",
      name: "WGDEVICE_A_IFNAME",
      privateKey: "WGDEVICE_A_PRIVATE_KEY",
      publicKey: "WGDEVICE_A_PUBLIC_KEY",
      port: "WGDEVICE_A_LISTEN_PORT",
      peers: "WGDEVICE_A_PEERS",
    },
  ],
  [
    "wireguard.h",
    types(wireguardPeer.table),
    {
      publicKey: "WGPEER_A_PUBLIC_KEY",
      flags: "WGPEER_A_FLAGS",
      endpoint: "WGPEER_A_ENDPOINT",
      lastHandshake: "WGPEER_A_LAST_HANDSHAKE_TIME",
      rxBytes: "WGPEER_A_RX_BYTES",
      txBytes: "WGPEER_A_TX_BYTES",
      allowed: "WGPEER_A_ALLOWEDIPS",
    },
  ],
  [
    "wireguard.h",
    types(allowedIp.table),
    { family: "WGALLOWEDIP_A_FAMILY", address: "WGALLOWEDIP_A_IPADDR", length: "WGALLOWEDIP_A_CIDR_MASK" },
  ],
  ["wireguard.h", WGPEER_F, { REMOVE_ME: "WGPEER_F_REMOVE_ME", REPLACE_ALLOWEDIPS: "WGPEER_F_REPLACE_ALLOWEDIPS" }],
  ["wireguard.h", WG_COMMAND, { GET: "WG_CMD_GET_DEVICE", SET: "WG_CMD_SET_DEVICE" }],
  ["genetlink.h", { GETFAMILY: CTRL_CMD_GETFAMILY }, { GETFAMILY: "CTRL_CMD_GETFAMILY" }],
  ["genetlink.h", types(familyMessage.attrs.table), { id: "CTRL_ATTR_FAMILY_ID", name: "CTRL_ATTR_FAMILY_NAME" }],
  [
    "if_tunnel.h",
    types(greData.table),
    {
      inFlags: "IFLA_GRE_IFLAGS",
      outFlags: "IFLA_GRE_OFLAGS",
      inKey: "IFLA_GRE_IKEY",
      outKey: "IFLA_GRE_OKEY",
      local: "IFLA_GRE_LOCAL",
      remote: "IFLA_GRE_REMOTE",
      ttl: "IFLA_GRE_TTL",
      pathMtu: "IFLA_GRE_PMTUDISC",
      tunnelFlags: "IFLA_GRE_FLAGS",
      ignoreDf: "IFLA_GRE_IGNORE_DF",
      erspanIndex: "IFLA_GRE_ERSPAN_INDEX",
      erspanVersion: "IFLA_GRE_ERSPAN_VER",
    },
  ],
  ["ip6_tunnel.h", { ignored: IP6_TNL_F_IGN_ENCAP_LIMIT }, { ignored: "IP6_TNL_F_IGN_ENCAP_LIMIT" }],
  ["if_link.h", types(vlanData.table), { id: "IFLA_VLAN_ID", protocol: "IFLA_VLAN_PROTOCOL" }],
  ["if_ether.h", VLAN_PROTOCOL, { "802.1Q": "ETH_P_8021Q", "802.1ad": "ETH_P_8021AD" }],
  [
    "if_link.h",
    types(vxlanData.table),
    {
      id: "IFLA_VXLAN_ID",
      link: "IFLA_VXLAN_LINK",
      local4: "IFLA_VXLAN_LOCAL",
      learning: "IFLA_VXLAN_LEARNING",
      port: "IFLA_VXLAN_PORT",
      local6: "IFLA_VXLAN_LOCAL6",
    },
  ],
  [
    "if_link.h",
    types(tunData.table),
    { owner: "IFLA_TUN_OWNER", group: "IFLA_TUN_GROUP", type: "IFLA_TUN_TYPE", multiQueue: "IFLA_TUN_MULTI_QUEUE" },
  ],
  ["if_bridge.h", VLAN_INFO, { PVID: "BRIDGE_VLAN_INFO_PVID", UNTAGGED: "BRIDGE_VLAN_INFO_UNTAGGED" }],
  ["if_bridge.h", BRIDGE_FLAGS, { MASTER: "BRIDGE_FLAGS_MASTER", SELF: "BRIDGE_FLAGS_SELF" }],
  [
    "neighbour.h",
    { NTF_MASTER, NTF_SELF, NUD_NOARP, NUD_PERMANENT },
    { NTF_MASTER: "NTF_MASTER", NTF_SELF: "NTF_SELF", NUD_NOARP: "NUD_NOARP", NUD_PERMANENT: "NUD_PERMANENT" },
  ],
  ...Object.entries({
    VLAN: RTM_VLAN,
    ACTION: RTM_ACTION,
    LINK: RTM_LINK,
    ADDR: RTM_ADDR,
    ROUTE: RTM_ROUTE,
    NEIGH: RTM_NEIGH,
    RULE: RTM_RULE,
    QDISC: RTM_QDISC,
    TFILTER: RTM_FILTER,
  }).map(([name, ours]): (typeof cases)[number] => [
    "rtnetlink.h",
    ours,
    { NEW: `RTM_NEW${name}`, DEL: `RTM_DEL${name}`, GET: `RTM_GET${name}` },
  ]),
];

test.each(cases)("%s: %j", (header, ours, theirs) => {
  const numbers = numbersIn(header);
  const expected = Object.entries(theirs).map(([name, constant]) => [name, numbers.get(constant)]);
  expect(ours).toEqual(Object.fromEntries(expected));
});

test("the table has cases", () => expect(cases.length).toBe(48));

/** Finds out what this kernel has by trying, in a namespace that nothing else is in and that ends with the question. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isFailure } from "#lib/errors.ts";
import { FEATURES, type Feature, type FeatureName } from "#lib/state/features.ts";
import { ERRNO } from "#native/libc.ts";
import { runNft } from "#native/libnftables.ts";
import { closeDescriptor, newNamespace } from "#native/namespace.ts";
import { NETLINK_NETFILTER, NETLINK_ROUTE } from "#native/socket.ts";
import { makeTap } from "#native/tap.ts";
import { CT, connection } from "../conntrack/wire.ts";
import { linkRequest, RTM_LINK } from "../netlink/link.ts";
import { bridgeData, IPVLAN_MODE, ipvlanData } from "../netlink/link-data.ts";
import { htons, NLM_F, type Request } from "../netlink/message.ts";
import { type NetlinkSocket, netlinkSocket } from "../netlink/socket.ts";
import {
  actionsMessage,
  RTM_ACTION,
  RTM_FILTER,
  RTM_QDISC,
  TC_H_CLSACT,
  TC_H_INGRESS,
  TC_H_ROOT,
  tcMessage,
} from "../netlink/tc.ts";

/** linux/if_ether.h */
const ETH_P_ALL = 3;
/** Index of the link that everything is tried on, and of the tap, which must be told one. */
const CARRIER = 1000;
const TAP = 1001;
const UNKNOWN_KIND = "Unknown device type";
/** What ipvlan without CONFIG_IPVLAN_L3S answers (linux/errno.h, ENOTSUPP). */
const ENOTSUPP = 524;

type Probe = (at: {
  readonly netns: number;
  readonly route: NetlinkSocket;
  readonly sysfs: string;
}) => boolean | Promise<boolean>;

/** @throws SelvedgeError kernel, when there can be no namespace */
export async function features(sysfs: string): Promise<Feature[]> {
  const netns = newNamespace();
  const route = netlinkSocket(NETLINK_ROUTE, netns);
  try {
    route.exchange([link("veth", { index: CARRIER })]);
    const found: Feature[] = [];
    for (const name of Object.keys(FEATURES) as FeatureName[])
      found.push({ name, ...FEATURES[name], present: await PROBES[name]({ netns, route, sysfs }) });
    return found;
  } finally {
    route.close();
    closeDescriptor(netns);
  }
}

/** Without an index the kernel chooses one. */
function link(
  kind: string,
  { index = 0, data, parent }: { index?: number; data?: Uint8Array; parent?: number } = {},
): Request {
  const body = linkRequest.body(
    { index },
    { ...(parent === undefined ? {} : { link: parent }), info: { kind, ...(data === undefined ? {} : { data }) } },
  );
  return { what: `link add type ${kind}`, type: RTM_LINK.NEW, flags: NLM_F.CREATE | NLM_F.EXCL, body };
}

const tryOne = (socket: NetlinkSocket, request: Request) => socket.exchange([request])[0]?.error;

/** Whatever else the kernel has to say of it: it knows the kind. */
const kind =
  (name: string): Probe =>
  ({ route }) => {
    const error = tryOne(route, link(name));
    return error?.code !== ERRNO.EOPNOTSUPP || error.text !== UNKNOWN_KIND;
  };

const nft =
  (text: string): Probe =>
  ({ netns }) =>
    isDone(() => runNft(text, netns));

function isDone(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (isFailure(error, "kernel")) return false;
    throw error;
  }
}

/** ENOENT: nobody registered the name, and no module brought it. */
const traffic =
  (name: string, request: (name: string) => Request): Probe =>
  ({ route }) =>
    tryOne(route, request(name))?.code !== ERRNO.ENOENT;

const queue = (name: string): Request => ({
  what: `qdisc add ${name}`,
  type: RTM_QDISC.NEW,
  flags: NLM_F.CREATE | NLM_F.REPLACE,
  body: tcMessage.body({ index: CARRIER, parent: TC_H_ROOT, handle: 0x10000 }, { kind: name }),
});

const clsact: Request = {
  what: "qdisc add clsact",
  type: RTM_QDISC.NEW,
  flags: NLM_F.CREATE,
  body: tcMessage.body({ index: CARRIER, parent: TC_H_CLSACT, handle: 0xffff0000 }, { kind: "clsact" }),
};

/** Each with a preference of its own, since filters of different kinds cannot share one. */
const filter =
  (preference: number) =>
  (name: string): Request => ({
    what: `filter add ${name}`,
    type: RTM_FILTER.NEW,
    flags: NLM_F.CREATE,
    body: tcMessage.body(
      { index: CARRIER, parent: TC_H_INGRESS, info: ((preference << 16) | htons(ETH_P_ALL)) >>> 0 },
      { kind: name },
    ),
  });

const action = (name: string): Request => ({
  what: `action add ${name}`,
  type: RTM_ACTION.NEW,
  flags: NLM_F.CREATE,
  body: actionsMessage.body({}, { actions: new Map([[1, { kind: name }]]) }),
});

/** linux/pci.h: a function that can have virtual ones says how many. */
const hasVirtualFunctions: Probe = async ({ sysfs }) => {
  const root = join(sysfs, "bus/pci/devices");
  const all = await readdir(root).catch((): string[] => []);
  const able = all.map((device) =>
    stat(join(root, device, "sriov_totalvfs")).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(able)).includes(true);
};

const PROBES = {
  veth: kind("veth"),
  bridge: kind("bridge"),
  "bridge-vlan": ({ route }) =>
    tryOne(route, link("bridge", { data: bridgeData.put({ vlanFiltering: 1 }) })) === undefined,
  macvlan: kind("macvlan"),
  ipvlan: kind("ipvlan"),
  "ipvlan-l3s": ({ route }) => {
    const data = ipvlanData.put({ mode: IPVLAN_MODE.l3s });
    const error = tryOne(route, link("ipvlan", { data, parent: CARRIER }));
    return error === undefined || (error.code !== ENOTSUPP && error.code !== ERRNO.EOPNOTSUPP);
  },
  vlan: kind("vlan"),
  tap: ({ netns }) => isDone(() => makeTap(netns, { name: "tap0", index: TAP })[Symbol.dispose]()),
  vxlan: kind("vxlan"),
  ifb: kind("ifb"),
  vrf: kind("vrf"),
  gre: kind("gretap"),
  gre6: kind("ip6gretap"),
  geneve: kind("geneve"),
  wireguard: kind("wireguard"),
  nftables: nft("add table inet probe"),
  "nft-bridge": nft("add table bridge probe; add chain bridge probe c { type filter hook prerouting priority 0; }"),
  "nft-nat": nft(
    "add table ip probe; add chain ip probe c { type nat hook postrouting priority 100; }; add rule ip probe c masquerade",
  ),
  conntrack: ({ netns }) =>
    isDone(() => {
      const socket = netlinkSocket(NETLINK_NETFILTER, netns);
      try {
        socket.dump({ what: "conntrack list", type: CT.GET, flags: 0, body: connection.body({}) });
      } finally {
        socket.close();
      }
    }),
  "bridge-conntrack": nft(
    "add table bridge probe; add chain bridge probe t; add rule bridge probe t ct state established accept",
  ),
  "flow-offload": nft(
    "add table inet probe; add flowtable inet probe f { hook ingress priority 0; }; add chain inet probe o; add rule inet probe o flow add @f",
  ),
  tbf: traffic("tbf", queue),
  htb: traffic("htb", queue),
  prio: traffic("prio", queue),
  fq_codel: traffic("fq_codel", queue),
  netem: traffic("netem", queue),
  clsact: ({ route }) => tryOne(route, clsact) === undefined,
  u32: traffic("u32", filter(1)),
  matchall: traffic("matchall", filter(2)),
  flower: traffic("flower", filter(3)),
  mirred: traffic("mirred", action),
  "sr-iov": hasVirtualFunctions,
} as const satisfies Readonly<Record<FeatureName, Probe>>;

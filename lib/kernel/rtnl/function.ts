/** Virtual functions: their settings on the physical function's link, to messages and back. */
import { macFromBytes, macToBytes } from "#lib/address.ts";
import type { VirtualFunctionSettings } from "#lib/state/device-fact.ts";
import type { VlanProtocol } from "#lib/state/vlan-protocol.ts";
import { type FunctionSettings, functionAnswer, functionRequest, RTEXT_FILTER_VF } from "../netlink/function.ts";
import { RTEXT_FILTER_SKIP_STATS, RTM_LINK } from "../netlink/link.ts";
import type { Message, Request } from "../netlink/message.ts";

/** linux/if_ether.h */
const ETHERTYPE = { "802.1Q": 0x8100, "802.1ad": 0x88a8 } as const satisfies Record<VlanProtocol, number>;
/** IFLA_VF_LINK_STATE_*, in their order. */
const LINK_STATES = ["auto", "enable", "disable"] as const satisfies readonly VirtualFunctionSettings["linkState"][];
/** What the kernel answers for a setting that the driver does not know (net/core/rtnetlink.c, rtnl_fill_vfinfo). */
const UNKNOWN = 0xffffffff;

/** The physical function's link with its virtual functions. */
export const getFunctions = (link: string): Request => ({
  what: `link get ${link} with virtual functions`,
  type: RTM_LINK.GET,
  flags: 0,
  body: functionRequest.body({}, { name: link, extMask: RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS }),
});

/** Settings of each virtual function by its index; what its driver does not know is left out. @throws RangeError */
export function readFunctions(message: Message): Map<number, VirtualFunctionSettings> {
  const { functions = [] } = functionAnswer.read(message.body).attrs;
  return new Map(
    functions.flatMap((one) => {
      const index = one.mac?.vf;
      return index === undefined ? [] : [[index, settingsOf(one)] as const];
    }),
  );
}

function settingsOf({ mac, vlans, spoofCheck, trust, rate, linkState }: FunctionSettings): VirtualFunctionSettings {
  const vlan = vlans?.[0];
  const state = LINK_STATES[linkState?.setting ?? UNKNOWN];
  const protocol = vlan?.protocol === ETHERTYPE["802.1ad"] ? "802.1ad" : "802.1Q";
  return {
    ...(mac?.mac === undefined ? {} : { mac: macFromBytes(mac.mac) }),
    ...(vlan === undefined ? {} : { vlan: vlan.vlan ?? 0, qos: vlan.qos ?? 0, vlanProtocol: protocol }),
    ...known("spoofCheck", spoofCheck?.setting),
    ...known("trust", trust?.setting),
    ...(rate === undefined ? {} : { minTxRate: rate.min ?? 0, maxTxRate: rate.max ?? 0 }),
    ...(state === undefined ? {} : { linkState: state }),
  };
}

const known = (name: "spoofCheck" | "trust", setting: number | undefined): VirtualFunctionSettings =>
  setting === undefined || setting === UNKNOWN ? {} : { [name]: setting !== 0 };

/**
 * One request for each setting of `want` that `have` does not show, so that a refusal names it. The rates are one
 * setting to the kernel, and so are VLAN, priority and tag.
 */
export function setFunction(
  at: { readonly link: string; readonly index: number; readonly vf: number },
  want: VirtualFunctionSettings,
  have: VirtualFunctionSettings,
): Request[] {
  const { vf } = at;
  const differ = (...names: readonly (keyof VirtualFunctionSettings)[]): boolean =>
    names.some((name) => want[name] !== undefined && want[name] !== have[name]);
  const request = (words: string, settings: FunctionSettings): Request => ({
    what: `link set ${at.link} vf ${vf} ${words}`,
    type: RTM_LINK.NEW,
    flags: 0,
    body: functionRequest.body({ index: at.index }, { functions: [settings] }),
  });
  const whole = { ...have, ...want };
  const { vlan = 0, qos = 0, vlanProtocol = "802.1Q", minTxRate: min = 0, maxTxRate: max = 0 } = whole;
  const requests: Request[] = [];
  if (want.mac !== undefined && differ("mac"))
    requests.push(request(`mac ${want.mac}`, { mac: { vf, mac: macToBytes(want.mac) } }));
  if (differ("vlan", "qos", "vlanProtocol"))
    requests.push(
      request(`vlan ${vlan} qos ${qos} proto ${vlanProtocol}`, {
        vlans: [{ vf, vlan, qos, protocol: ETHERTYPE[vlanProtocol] }],
      }),
    );
  if (differ("minTxRate", "maxTxRate"))
    requests.push(request(`min_tx_rate ${min} max_tx_rate ${max}`, { rate: { vf, min, max } }));
  if (differ("spoofCheck")) {
    const on = whole.spoofCheck === true;
    requests.push(request(`spoofchk ${on ? "on" : "off"}`, { spoofCheck: { vf, setting: on ? 1 : 0 } }));
  }
  if (want.linkState !== undefined && differ("linkState"))
    requests.push(
      request(`state ${want.linkState}`, { linkState: { vf, setting: LINK_STATES.indexOf(want.linkState) } }),
    );
  if (differ("trust")) {
    const on = whole.trust === true;
    requests.push(request(`trust ${on ? "on" : "off"}`, { trust: { vf, setting: on ? 1 : 0 } }));
  }
  return requests;
}

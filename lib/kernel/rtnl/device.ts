/** Links as devices: what stands behind them, and the requests that take them from one namespace to another. */
import { type Mac, macFromBytes } from "#lib/address.ts";
import { functionAnswer, functionRequest } from "../netlink/function.ts";
import { IFF, linkRequest, RTEXT_FILTER_SKIP_STATS, RTM_LINK } from "../netlink/link.ts";
import type { Message, Request } from "../netlink/message.ts";

export interface SeenDevice {
  readonly index: number;
  readonly name: string;
  /** IFLA_INFO_KIND; absent for hardware, which the kernel brings home when its namespace ends. */
  readonly kind?: string;
  readonly up: boolean;
  readonly mtu: number;
  readonly mac?: Mac;
  readonly alias?: string;
  /** Ifindex of what it is a port of. */
  readonly master?: number;
  /** PCI address of the function behind it. */
  readonly pci?: string;
  /** Name of the device behind it on its bus, whichever: `virtio0`. */
  readonly parent?: string;
  /** The switch that it is a port of, in hexadecimal digits, and which port: `p0`, `pf0vf3`. */
  readonly switchId?: string;
  readonly portName?: string;
}

export const getDevice = (name: string): Request => ({
  what: `link get ${name}`,
  type: RTM_LINK.GET,
  flags: 0,
  body: functionRequest.body({}, { name, extMask: RTEXT_FILTER_SKIP_STATS }),
});

export const dumpDevices: Request = {
  what: "link list",
  type: RTM_LINK.GET,
  flags: 0,
  body: functionRequest.body({}, { extMask: RTEXT_FILTER_SKIP_STATS }),
};

/** @throws RangeError */
export function readDevice(message: Message): SeenDevice {
  const { head, attrs } = functionAnswer.read(message.body);
  const { info, address, alias, master, parentBus, parentName, switchId, portName } = attrs;
  return {
    index: head.index,
    name: attrs.name ?? "",
    ...(info?.kind === undefined ? {} : { kind: info.kind }),
    up: (head.flags & IFF.UP) !== 0,
    mtu: attrs.mtu ?? 0,
    ...(address?.length === 6 ? { mac: macFromBytes(address) } : {}),
    ...(alias === undefined || alias === "" ? {} : { alias }),
    ...(master === undefined ? {} : { master }),
    ...(parentBus === "pci" && parentName !== undefined ? { pci: parentName } : {}),
    ...(parentName === undefined ? {} : { parent: parentName }),
    ...(switchId === undefined ? {} : { switchId: Buffer.from(switchId).toString("hex") }),
    ...(portName === undefined ? {} : { portName }),
  };
}

const set = (what: string, body: Uint8Array): Request => ({ what, type: RTM_LINK.NEW, flags: 0, body });

const DOWN = { flags: 0, change: IFF.UP } as const;

/** Marks a device as lent, down: from here on its alias tells whose it is, wherever it is. */
export const markDevice = ({ index, name }: SeenDevice, alias: string): Request =>
  set(`link set ${name} down alias "${alias}"`, linkRequest.body({ index, ...DOWN }, { alias }));

/** Into the namespace behind the descriptor `netns`, and there under another name. The kernel takes it down on the way. */
export const moveDevice = ({ index, name }: SeenDevice, netns: number, as: string): Request =>
  set(`link set ${name} netns ${netns} name ${as}`, linkRequest.body({ index }, { netNsFd: netns, name: as }));

export const renameDevice = ({ index, name }: SeenDevice, as: string): Request =>
  set(`link set ${name} name ${as}`, linkRequest.body({ index, ...DOWN }, { name: as }));

export const setDeviceMac = ({ index, name }: SeenDevice, mac: Mac): Request =>
  set(`link set ${name} address ${mac}`, linkRequest.body({ index }, { address: mac }));

export const setDeviceMtu = ({ index, name }: SeenDevice, mtu: number): Request =>
  set(`link set ${name} mtu ${mtu}`, linkRequest.body({ index }, { mtu }));

/** A port of nothing any more. */
export const freeDevice = ({ index, name }: SeenDevice): Request =>
  set(`link set ${name} nomaster`, linkRequest.body({ index }, { master: 0 }));

/** The alias that it had, and up or down as it was: the last of the way back. An empty alias is none. */
export const unmarkDevice = ({ index, name }: SeenDevice, alias: string, up: boolean): Request =>
  set(
    `link set ${name} ${up ? "up" : "down"} alias "${alias}"`,
    linkRequest.body({ index, flags: up ? IFF.UP : 0, change: IFF.UP }, { alias }),
  );

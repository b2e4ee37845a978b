/** RDMA devices on the wire: rdma/rdma_netlink.h (v6.12). Attributes follow the message's header at once. */
import { attrs } from "./attr.ts";
import { text, u32 } from "./codec.ts";
import type { Message, Request } from "./message.ts";

/** RDMA_NL_NLDEV: the client that all of this is asked of. */
export const NLDEV = 5;
/** RDMA_NLDEV_CMD_* */
export const NLDEV_COMMAND = { get: 1, set: 2 } as const;
/** RDMA_NLDEV_ATTR_DEV_*, RDMA_NLDEV_NET_NS_FD */
export const rdmaAttrs = attrs({ index: [1, u32], name: [2, text], netNsFd: [68, u32] });

/** RDMA_NL_GET_TYPE */
const type = (command: keyof typeof NLDEV_COMMAND): number => (NLDEV << 10) + NLDEV_COMMAND[command];

export interface SeenRdma {
  readonly index: number;
  readonly name: string;
}

export const dumpRdma: Request = { what: "rdma dev list", type: type("get"), flags: 0, body: new Uint8Array() };

/** @throws RangeError */
export function readRdma({ body }: Message): SeenRdma {
  const { index = 0, name = "" } = rdmaAttrs.get(body);
  return { index, name };
}

/** Into the namespace behind the descriptor. Only while the system's mode is exclusive, and only some drivers can. */
export const moveRdma = ({ index, name }: SeenRdma, netNsFd: number): Request => ({
  what: `rdma dev set ${name} netns ${netNsFd}`,
  type: type("set"),
  flags: 0,
  body: rdmaAttrs.put({ index, netNsFd }),
});

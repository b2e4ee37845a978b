/** A port id for a socket that only listens. */
import { send } from "#native/socket.ts";
import { writeMessage } from "./message.ts";
import { writer } from "./writer.ts";

/** linux/netlink.h, NLMSG_NOOP (v6.12) */
const NOOP = 1;

/**
 * A socket gets its port id with its first message. Until then that is 0, the same as the kernel's own, and the
 * kernel's notifications are not delivered to where they seem to come from (net/netlink/af_netlink.c, do_one_broadcast).
 */
export function bindByNothing(fd: number): void {
  const message = writer(16);
  writeMessage(message, { what: "bind", type: NOOP, flags: 0, body: new Uint8Array(0) }, 0);
  send(fd, message.bytes());
}

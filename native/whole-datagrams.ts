/** UDP sockets whose packets are never fragmented: what is too large for the way is refused, here or on the way. */
import { bind, checked } from "./libc.ts";
import { setNumber } from "./socket-option.ts";

const socket = bind("int socket(int domain, int type, int protocol)");

/** linux/socket.h, linux/net.h (v6.12) */
const AF = { 4: 2, 6: 10 } as const;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/** IP_MTU_DISCOVER and IPV6_MTU_DISCOVER with IP_PMTUDISC_DO; IPV6_DONTFRAG (linux/in.h, linux/in6.h, v6.12). */
const WHOLE = {
  4: [[0, 10, 2]],
  6: [
    [41, 23, 2],
    [41, 62, 1],
  ],
} as const;

/** A socket that is not bound yet; the caller closes it. @throws SelvedgeError kernel */
export function openWholeDatagrams(family: 4 | 6): number {
  const fd = checked("socket udp", socket(AF[family], SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  for (const [level, name, value] of WHOLE[family]) setNumber("setsockopt MTU_DISCOVER", fd, [level, name], value);
  return fd;
}

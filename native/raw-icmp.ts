/** Raw sockets of ICMP that stay in a namespace: questions with a hop limit, and whatever of ICMP comes back. */
import { bind, checked, ERRNO, errno, refused } from "./libc.ts";
import { callIn } from "./namespace.ts";
import { setNumber } from "./socket-option.ts";

const socket = bind("int socket(int domain, int type, int protocol)");
const bindTo = bind("int bind(int fd, const uint8_t *address, uint32_t size)");
const sendTo = bind(
  "intptr_t sendto(int fd, const uint8_t *bytes, size_t length, int flags, const uint8_t *to, uint32_t size)",
);
const receiveFrom = bind(
  "intptr_t recvfrom(int fd, uint8_t *bytes, size_t length, int flags, uint8_t *from, uint8_t *size)",
);

/** linux/socket.h, linux/net.h, linux/in.h (v6.12) */
const AF = { 4: 2, 6: 10 } as const;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const PROTOCOL = { 4: 1, 6: 58 } as const;
/** IP_TTL and IPV6_UNICAST_HOPS. */
const HOPS = { 4: [0, 2], 6: [41, 16] } as const;
/** IP_MTU_DISCOVER and IPV6_MTU_DISCOVER; IP_PMTUDISC_PROBE: never cut, and as large as the device takes. */
const DISCOVER = { 4: [0, 10], 6: [41, 23] } as const;
const PMTUDISC_PROBE = 3;
/** struct sockaddr_in, struct sockaddr_in6: where the address begins, and the whole. */
const ADDRESS = { 4: { at: 4, length: 4, size: 16 }, 6: { at: 8, length: 16, size: 28 } } as const;

/** Sends nothing that would have to be cut. The caller closes it. @throws SelvedgeError kernel */
export function openRawIcmp(netns: number | undefined, family: 4 | 6): number {
  const type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = callIn(netns, "socket icmp", () => socket(AF[family], type, PROTOCOL[family]));
  setNumber("setsockopt icmp", fd, DISCOVER[family], PMTUDISC_PROBE);
  return fd;
}

/** Questions go out from there. @param from the address's bytes @throws SelvedgeError kernel: EADDRNOTAVAIL when nobody has it */
export function sendFrom(fd: number, family: 4 | 6, from: Uint8Array): void {
  const name = named(family, from);
  checked("bind icmp", bindTo(fd, name, name.length));
}

/** @param to the address's bytes @throws SelvedgeError kernel: EMSGSIZE when it is too large for the link */
export function sendIcmp(fd: number, family: 4 | 6, to: Uint8Array, message: Uint8Array, hopLimit: number): void {
  setNumber("setsockopt icmp", fd, HOPS[family], hopLimit);
  const name = named(family, to);
  checked("sendto icmp", sendTo(fd, message, message.length, 0, name, name.length));
}

function named(family: 4 | 6, address: Uint8Array): Uint8Array {
  const { at, size } = ADDRESS[family];
  const name = new Uint8Array(size);
  new DataView(name.buffer).setUint16(0, AF[family], true);
  name.set(address, at);
  return name;
}

/** The next message that waits, with its sender's address; of IPv4 the IP header comes first. Undefined: none waits. @throws SelvedgeError kernel */
export function receiveIcmp(
  fd: number,
  family: 4 | 6,
  buffer: Uint8Array,
): { readonly length: number; readonly from: Uint8Array } | undefined {
  const { at, length: bytes, size } = ADDRESS[family];
  const name = new Uint8Array(size);
  const nameLength = new Uint8Array(Uint32Array.of(size).buffer);
  for (;;) {
    const length = receiveFrom(fd, buffer, buffer.length, 0, name, nameLength);
    if (length >= 0) return { length, from: name.subarray(at, at + bytes) };
    const code = errno();
    if (code === ERRNO.EAGAIN) return undefined;
    if (code !== ERRNO.EINTR) throw refused("recvfrom icmp", code);
  }
}

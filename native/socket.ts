/**
 * Sockets that Node has no module for: netlink and packet sockets, opened in any network namespace, where they stay.
 * A request on a netlink socket is performed inside send(2), on the calling thread; the answer waits in the socket
 * when send returns. So synchronous calls never wait for anything but the kernel's own locks.
 */
import koffi from "koffi";
import { addressOf, bind, checked, ERRNO, errno, fixedBytes, refused } from "./libc.ts";
import { callIn } from "./namespace.ts";
import { type SocketOption, setNumber } from "./socket-option.ts";

const socket = bind("int socket(int domain, int type, int protocol)");
const sendBytes = bind("intptr_t send(int fd, const uint8_t *bytes, size_t length, int flags)");
const sendTo = bind(
  "intptr_t sendto(int fd, const uint8_t *bytes, size_t length, int flags, const uint8_t *to, uint32_t toLength)",
);
const recvBytes = bind("intptr_t recv(int fd, uint8_t *bytes, size_t length, int flags)");
const recvMessage = bind("intptr_t recvmsg(int fd, uint8_t *header, int flags)");
const setOption = bind("int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)");
const getOption = bind("int getsockopt(int fd, int level, int name, uint8_t *value, uint8_t *length)");
const getName = bind("int getsockname(int fd, uint8_t *address, uint8_t *length)");
const bindSocket = bind("int bind(int fd, const uint8_t *address, uint32_t length)");
const waitFor = bind("int poll(uint8_t *descriptors, unsigned long count, int timeoutMs)");

/** linux/socket.h, asm-generic/socket.h, linux/netlink.h, linux/if_packet.h (v6.12) */
const AF_NETLINK = 16;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
const SOL_SOCKET = 1;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_MR_ALLMULTI = 2;
const SOL_NETLINK = 270;

/** Socket options by name: level and number. */
const OPTION = {
  receiveBufferForce: [SOL_SOCKET, 33],
  addMembership: [SOL_NETLINK, 1],
  broadcastError: [SOL_NETLINK, 4],
  noEnobufs: [SOL_NETLINK, 5],
  listenAllNsid: [SOL_NETLINK, 8],
  capAck: [SOL_NETLINK, 10],
  extAck: [SOL_NETLINK, 11],
  strictCheck: [SOL_NETLINK, 12],
} as const satisfies Record<string, SocketOption>;

/** linux/netlink.h: protocols of netlink sockets. */
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
export const NETLINK_GENERIC = 16;
export const NETLINK_RDMA = 20;

/**
 * A netlink socket in the namespace behind `netns`, or in the process's own. It stays there whatever happens after.
 * The caller closes it with `closeDescriptor`. @throws SelvedgeError kernel
 */
export const openNetlink = (protocol: number, netns?: number): number =>
  callIn(netns, "socket netlink", () => socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));

/** A packet socket that sends and receives no protocol until bound: for frames with `sendFrame`. @throws SelvedgeError kernel */
export const openPacketSocket = (netns?: number): number =>
  callIn(netns, "socket packet", () => socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));

/**
 * Makes a packet socket receive what comes in by a link with this EtherType, multicast frames for others among it
 * (linux/if_packet.h, PACKET_MR_ALLMULTI). @throws SelvedgeError kernel
 */
export function listenToLink(fd: number, ifindex: number, etherType: number): void {
  const address = linkAddress(ifindex, etherType);
  checked("bind packet", bindSocket(fd, address, address.length));
  // struct packet_mreq: ifindex, type, length and bytes of an address.
  const membership = Buffer.alloc(16);
  membership.writeInt32LE(ifindex, 0);
  membership.writeUInt16LE(PACKET_MR_ALLMULTI, 4);
  checked("setsockopt PACKET_ADD_MEMBERSHIP", setOption(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership, 16));
}

/** struct sockaddr_ll (linux/if_packet.h): family, protocol (network order), ifindex, … */
function linkAddress(ifindex: number, etherType: number): Buffer {
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(etherType, 2);
  address.writeInt32LE(ifindex, 4);
  return address;
}

/** Sends one whole Ethernet frame out of a link of the socket's namespace. @throws SelvedgeError kernel */
export function sendFrame(fd: number, ifindex: number, frame: Uint8Array): void {
  const etherType = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
  const to = linkAddress(ifindex, etherType);
  checked("sendto packet", sendTo(fd, frame, frame.length, 0, to, to.length));
}

/** @throws SelvedgeError kernel */
export function setSocketOption(fd: number, option: keyof typeof OPTION, value = 1): void {
  setNumber(`setsockopt ${option}`, fd, OPTION[option], value);
}

/** The port id that the kernel gave a netlink socket (nlmsg_pid of what it sends). The socket is bound by its first send. */
export function portIdOf(fd: number): number {
  const address = Buffer.alloc(12);
  const length = Buffer.from(Uint32Array.of(12).buffer);
  checked("getsockname", getName(fd, address, length));
  return address.readUInt32LE(4);
}

/** Sends one datagram to the kernel, which performs what it asks for before this returns. @throws SelvedgeError kernel */
export function send(fd: number, bytes: Uint8Array): void {
  for (;;) {
    if (sendBytes(fd, bytes, bytes.length, 0) >= 0) return;
    const code = errno();
    if (code !== ERRNO.EINTR) throw refused("send netlink", code);
  }
}

/** The same by a thread that is in the namespace, for what the kernel asks of the sender and not of its socket. @throws SelvedgeError kernel */
export function sendFrom(netns: number, fd: number, bytes: Uint8Array): void {
  callIn(netns, "send netlink", () => sendBytes(fd, bytes, bytes.length, 0));
}

/**
 * The same on a thread of the pool, for requests that hold the kernel's locks for milliseconds. `bytes` must not
 * change meanwhile. @throws SelvedgeError kernel (errno 0: a pool thread's errno cannot be read)
 */
export function sendAsync(fd: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    sendBytes.async(fd, bytes, bytes.length, 0, (error, result) => {
      if (error !== null && error !== undefined) reject(error);
      else if (result < 0) reject(refused("send netlink", 0));
      else resolve();
    });
  });
}

/**
 * Receives one datagram into `buffer` and returns its length. Waits at most `timeoutMs`, blocking the thread.
 * @throws SelvedgeError kernel: EAGAIN when nothing came, ENOBUFS when datagrams were lost
 */
export function receive(fd: number, buffer: Uint8Array, timeoutMs = 0): number {
  for (;;) {
    const length = recvBytes(fd, buffer, buffer.length, MSG_DONTWAIT | MSG_TRUNC);
    if (length > buffer.length) throw new RangeError(`netlink datagram of ${length} bytes, buffer of ${buffer.length}`);
    if (length >= 0) return length;
    const code = errno();
    if (code === ERRNO.EINTR) continue;
    if (code === ERRNO.EAGAIN && timeoutMs > 0 && readable(fd, timeoutMs)) continue;
    throw refused("recv netlink", code);
  }
}

/** Waits until `fd` can be read, blocking the thread; false when the time ran out. */
export function readable(fd: number, timeoutMs: number): boolean {
  const descriptor = new DataView(new ArrayBuffer(8));
  descriptor.setInt32(0, fd, true);
  descriptor.setInt16(4, POLLIN, true);
  return waitFor(new Uint8Array(descriptor.buffer), 1, timeoutMs) > 0;
}

/**
 * Calls back from the event loop whenever `fd` can be read, until the returned function is called. Uses no thread.
 * `gatherMs` after it became readable, so that what is more urgent comes first and a burst is read at once.
 */
export function onReadable(fd: number, gatherMs: number, callback: () => void): () => void {
  let handle: { close(): void } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const deafen = (): void => {
    handle?.close();
    handle = undefined;
  };
  const listen = (): void => {
    if (stopped) return;
    handle = koffi.node.poll(fd, { readable: true }, () => {
      deafen();
      timer = setTimeout(() => {
        callback();
        listen();
      }, gatherMs);
    });
  };
  listen();
  return () => {
    stopped = true;
    deafen();
    clearTimeout(timer);
  };
}

/** A datagram with the id of the namespace that it came from; -1 is the socket's own. */
export interface NamespacedDatagram {
  readonly length: number;
  readonly nsid: number;
}

/**
 * Receiving on a socket with `listenAllNsid`: the namespace comes as a control message.
 * Returns a function that reads one datagram into `buffer`, or undefined when none waits.
 * @throws SelvedgeError kernel: ENOBUFS when datagrams were lost
 */
export function namespacedReceiver(fd: number, buffer: Uint8Array): () => NamespacedDatagram | undefined {
  const control = fixedBytes(64);
  // struct iovec, struct msghdr (64 bits): name, namelen, iov, iovlen, control, controllen, flags.
  const vector = fixedBytes(16);
  const header = fixedBytes(56);
  const view = new DataView(header.buffer);
  const vectorView = new DataView(vector.buffer);
  const controlView = new DataView(control.buffer);
  return () => {
    for (;;) {
      // Written at each call, so that this function holds on to what the kernel is pointed at.
      vectorView.setBigUint64(0, addressOf(buffer), true);
      vectorView.setBigUint64(8, BigInt(buffer.length), true);
      view.setBigUint64(16, addressOf(vector), true);
      view.setBigUint64(24, 1n, true);
      view.setBigUint64(32, addressOf(control), true);
      view.setBigUint64(40, 64n, true);
      const length = recvMessage(fd, header, MSG_DONTWAIT | MSG_TRUNC);
      if (length > buffer.length) throw refused("recvmsg netlink", ERRNO.ENOBUFS);
      if (length >= 0) return { length, nsid: view.getBigUint64(40, true) > 0n ? nsidOf(controlView) : -1 };
      const code = errno();
      if (code === ERRNO.EAGAIN) return undefined;
      if (code !== ERRNO.EINTR) throw refused("recvmsg netlink", code);
    }
  };
}

/** struct cmsghdr (length 8, level 4, type 4) followed by the id, when it is NETLINK_LISTEN_ALL_NSID's. */
const nsidOf = (control: DataView): number =>
  control.getInt32(8, true) === SOL_NETLINK && control.getInt32(12, true) === OPTION.listenAllNsid[1]
    ? control.getInt32(16, true)
    : -1;

/** Who is at the other end of a Unix socket, as it was when it connected (SO_PEERCRED). @throws SelvedgeError kernel */
export function peerCredentials(fd: number): { pid: number; uid: number; gid: number } {
  const credentials = Buffer.alloc(12);
  const length = Buffer.from(Uint32Array.of(12).buffer);
  checked("getsockopt SO_PEERCRED", getOption(fd, SOL_SOCKET, 17, credentials, length));
  return { pid: credentials.readInt32LE(0), uid: credentials.readUInt32LE(4), gid: credentials.readUInt32LE(8) };
}

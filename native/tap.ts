/** Tap devices: linux/if_tun.h (v6.12). A device lives in the namespace in which /dev/net/tun was opened. */
import { bind, checked, cString } from "./libc.ts";
import { callIn, closeDescriptor } from "./namespace.ts";

const openFile = bind("int open(const uint8_t *path, int flags, ...)");
const control = bind("int ioctl(int fd, unsigned long request, uint8_t *argument)");
const controlBy = bind("int ioctl(int fd, unsigned long request, unsigned long argument)");

const PATH = cString("/dev/net/tun");
/** asm-generic/fcntl.h */
const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

/** _IOW('T', n, int) */
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNSETOWNER = 0x400454cc;
const TUNSETGROUP = 0x400454ce;
/** _IOW('T', 218, unsigned int) */
const TUNSETIFINDEX = 0x400454da;
const IFF_TAP = 0x2;
const IFF_MULTI_QUEUE = 0x100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
/** A device of the name that is there already is refused, not opened. */
const IFF_TUN_EXCL = 0x8000;
/** linux/if.h: struct ifreq is the name, then a union whose first member is taken here. */
const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;

export interface NewTap extends Disposable {
  /** From now on the device outlives this program. @throws SelvedgeError kernel */
  keep(): void;
}

export interface TapOptions {
  readonly name: string;
  readonly index: number;
  /** Numeric ids of those who may open it besides root. */
  readonly owner?: number | undefined;
  readonly group?: number | undefined;
  readonly multiQueue?: boolean | undefined;
}

/**
 * Makes a tap device in the namespace `netns`, or in the process's own: whole Ethernet frames with a header for
 * offloads (virtio_net). Unless it is kept, it goes when this is disposed of, or with the process.
 * @throws SelvedgeError kernel (EBUSY: the index or the name is taken)
 */
export function makeTap(netns: number | undefined, { name, index, owner, group, multiQueue }: TapOptions): NewTap {
  const call = `tap add ${name}`;
  const fd = callIn(netns, "open /dev/net/tun", () => openFile(PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(name, 0, IFNAMSIZ - 1);
  const queues = multiQueue === true ? IFF_MULTI_QUEUE : 0;
  request.writeUInt16LE(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL | queues, IFNAMSIZ);
  try {
    checked(call, control(fd, TUNSETIFINDEX, new Uint8Array(Uint32Array.of(index).buffer)));
    checked(call, control(fd, TUNSETIFF, request));
    if (owner !== undefined) checked(`${call} owner`, controlBy(fd, TUNSETOWNER, owner));
    if (group !== undefined) checked(`${call} group`, controlBy(fd, TUNSETGROUP, group));
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
  return {
    keep: () => void checked(`${call} persist`, controlBy(fd, TUNSETPERSIST, 1)),
    [Symbol.dispose]: () => closeDescriptor(fd),
  };
}

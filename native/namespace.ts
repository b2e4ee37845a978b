/**
 * Network namespaces. There is no exported setns: every function enters, does one synchronous thing in C and leaves
 * before it returns, so that no JavaScript, and no thread that Node starts, ever finds itself in a pod's namespace.
 */
import { close, closeSync, openSync, readSync, writeSync } from "node:fs";
import { bind, checked, cString, ERRNO, errno, refused } from "./libc.ts";

const setns = bind("int setns(int fd, int nstype)");
const unshare = bind("int unshare(int flags)");
const ioctl = bind("int ioctl(int fd, unsigned long request, ...)");
const openFile = bind("int open(const uint8_t *path, int flags, ...)");

/** linux/sched.h */
const CLONE_NEWNET = 0x40000000;
/** linux/nsfs.h, _IO(0xb7, 3): the CLONE_NEW* flag of the namespace behind a descriptor. */
const NS_GET_NSTYPE = 0xb703;
/** asm-generic/fcntl.h */
const O_CLOEXEC = 0o2000000;

/** The namespace that this process runs in; the way back from every other. Opened once, kept for ever. */
let home: number | undefined;
export const homeNamespace = (): number => (home ??= openSync("/proc/self/ns/net", O_CLOEXEC));

const SHORTAGES: readonly number[] = [ERRNO.ENOMEM, ERRNO.ENFILE, ERRNO.EMFILE];

/**
 * Opens the network namespace at `path`. Undefined when nothing is there, or something that is no network namespace
 * (the empty file that `ip netns` leaves after a reboot). The caller closes it with `closeDescriptor`.
 * @throws SelvedgeError kernel where it cannot be known, for want of descriptors or memory
 */
export function openNamespace(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, O_CLOEXEC);
  } catch (error) {
    const code = -((error as NodeJS.ErrnoException).errno ?? 0);
    if (SHORTAGES.includes(code)) throw refused(`open ${path}`, code);
    return undefined;
  }
  if (ioctl(fd, NS_GET_NSTYPE) === CLONE_NEWNET) return fd;
  closeSync(fd);
  return undefined;
}

export const closeDescriptor = (fd: number): void => closeSync(fd);

/** For descriptors whose end the kernel waits for (a packet socket: milliseconds, until no packet is on its way to it). */
export const closeBehind = (fd: number): void => close(fd, () => {});

/**
 * Runs one C call in the namespace `netns`, or where the process is without one. `call` must be a single bound
 * function: nothing of Node's may start meanwhile. @throws SelvedgeError kernel
 */
export function within<T>(netns: number | undefined, call: () => T): T {
  if (netns === undefined) return call();
  const back = homeNamespace();
  checked("setns", setns(netns, CLONE_NEWNET));
  try {
    return call();
  } finally {
    goBack(back);
  }
}

/** With no way back every later action would reach a stranger's network: better no process than that. */
function goBack(home: number): void {
  if (setns(home, CLONE_NEWNET) !== 0) process.abort();
}

/** Runs one C call in a new network namespace, which ends afterwards unless the call made something hold it. @throws SelvedgeError kernel */
export function detached(name: string, call: () => number): void {
  const back = homeNamespace();
  checked("unshare", unshare(CLONE_NEWNET));
  let code = 0;
  try {
    if (call() < 0) code = errno();
  } finally {
    goBack(back);
  }
  if (code !== 0) throw refused(name, code);
}

const OWN_NAMESPACE = cString("/proc/thread-self/ns/net");

/** Descriptor of a new network namespace with nothing in it, which ends when it is closed. @throws SelvedgeError kernel */
export function newNamespace(): number {
  let fd = -1;
  detached("open /proc/thread-self/ns/net", () => (fd = openFile(OWN_NAMESPACE, O_CLOEXEC)));
  return fd;
}

/** As `within`, for a call that tells of failure. @throws SelvedgeError kernel, also when the call returns a negative number */
export function callIn(netns: number | undefined, name: string, call: () => number): number {
  let code = 0;
  const result = within(netns, () => {
    const returned = call();
    code = errno();
    return returned;
  });
  if (result < 0) throw refused(name, code);
  return result;
}

/** `key` is a path below /proc/sys with slashes: `net/ipv4/ip_forward`. /proc/sys/net shows the opener's namespace. */
function openSysctl(netns: number | undefined, key: string, flags: number): number {
  const path = cString(`/proc/sys/${key}`);
  return callIn(netns, `open ${key}`, () => openFile(path, flags | O_CLOEXEC));
}

/** Value as seen in `netns`, without the line's end. @throws SelvedgeError kernel (ENOENT: no such key) */
export function readSysctl(netns: number | undefined, key: string): string {
  const fd = openSysctl(netns, key, 0);
  try {
    const bytes = Buffer.alloc(4096);
    return bytes.toString("utf8", 0, readSync(fd, bytes)).trimEnd();
  } finally {
    closeSync(fd);
  }
}

/** @throws SelvedgeError kernel (ENOENT: no such key; EINVAL: the kernel refuses the value) */
export function writeSysctl(netns: number | undefined, key: string, value: string): void {
  const fd = openSysctl(netns, key, 1);
  try {
    writeSync(fd, value);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).errno ?? 0;
    throw refused(`write ${key}`, -code, value);
  } finally {
    closeSync(fd);
  }
}

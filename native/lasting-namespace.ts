/**
 * Network namespaces that stay: made without a process in them and kept by a mount, as `ip netns add` does it
 * (iproute2, ip/ipnetns.c).
 */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { bind, checked, cString, ERRNO, errno, refused } from "./libc.ts";
import { detached } from "./namespace.ts";

const mount = bind(
  "int mount(const uint8_t *source, const uint8_t *target, const uint8_t *type, unsigned long flags, const uint8_t *data)",
);
const unmount = bind("int umount2(const uint8_t *target, int flags)");

/** linux/mount.h (v6.12) */
const MS_BIND = 0x1000;
const MNT_DETACH = 2;

const NONE = cString("none");

/**
 * Makes a network namespace and mounts it at `path`, whose directory is made when it is missing. What is mounted there
 * is covered. @throws SelvedgeError kernel
 */
export function makeNamespace(path: string): void {
  makePlace(path);
  const target = cString(path);
  // Of this thread: only its namespace is another one for the moment.
  const source = cString("/proc/thread-self/ns/net");
  detached(`mount ${path}`, () => mount(source, target, NONE, MS_BIND, null));
}

/** Mounts the namespace behind `netns` at `path`, where its mount was taken away. @throws SelvedgeError kernel */
export function showNamespace(netns: number, path: string): void {
  makePlace(path);
  checked(`mount ${path}`, mount(cString(`/proc/self/fd/${netns}`), cString(path), NONE, MS_BIND, null));
}

/** Takes the mount and its file away; the namespace ends when nothing else holds it. Nothing there is no error. @throws SelvedgeError kernel */
export function removeNamespace(path: string): void {
  const target = cString(path);
  // Several mounts may lie on each other: one is taken away by each call.
  while (unmount(target, MNT_DETACH) === 0);
  const code = errno();
  if (code !== ERRNO.EINVAL && code !== ERRNO.ENOENT) throw refused(`umount ${path}`, code);
  rmSync(path, { force: true });
}

/**
 * Whether a mount at `path` would end with this process's container: what is mounted elsewhere is seen there, and nobody
 * elsewhere sees what is mounted there (mount_namespaces(7): a slave that is not shared).
 * @param mountinfo proc_pid_mountinfo(5)
 */
export function endsWithContainer(path: string, mountinfo = readFileSync("/proc/self/mountinfo", "utf8")): boolean {
  const mounts = mountinfo.split("\n").map((line) => line.split(" "));
  const above = mounts.filter(([, , , , at = ""]) => `${path}/`.startsWith(at === "/" ? at : `${at}/`));
  // Of several at one place the last is what is seen.
  const [nearest] = above.toReversed().toSorted(([, , , , a = ""], [, , , , b = ""]) => b.length - a.length);
  const optional = nearest?.slice(6, nearest.indexOf("-")) ?? [];
  const is = (tag: string): boolean => optional.some((field) => field.startsWith(`${tag}:`));
  return is("master") && !is("shared");
}

function makePlace(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  closeSync(openSync(path, "a", 0o444));
}

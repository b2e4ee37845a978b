/**
 * The loopback link of another network namespace, for the plugin, which Bun runs: it does one thing and ends, so that it
 * may enter the namespace and stay there.
 */

import { SelvedgeError } from "#lib/errors.ts";

/** linux/sched.h, linux/socket.h, linux/sockios.h, linux/if.h (v6.12) */
const CLONE_NEWNET = 0x40000000;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;

export interface LoopbackLink {
  readonly up: boolean;
  /** The kernel gave it ::1. */
  readonly ipv6: boolean;
}

/**
 * Enters the namespace at `path` for good, raises its loopback link if that is asked for, and says how it is.
 * @throws SelvedgeError namespace-gone, kernel
 */
export function enterLoopback(path: string, raise: boolean): LoopbackLink {
  // Not at the start: every pod would pay for what only this needs.
  const { dlopen } = process.getBuiltinModule("bun:ffi") as typeof import("bun:ffi");
  const { closeSync, openSync } = process.getBuiltinModule("node:fs");
  const { symbols: libc } = dlopen("libc.so.6", {
    setns: { args: ["i32", "i32"], returns: "i32" },
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  });
  let namespace: number;
  try {
    namespace = openSync(path, "r");
  } catch (cause) {
    throw new SelvedgeError({ kind: "namespace-gone", path }, `CNI_NETNS: no network namespace at ${path}`, { cause });
  }
  if (libc.setns(namespace, CLONE_NEWNET) !== 0)
    throw new SelvedgeError({ kind: "namespace-gone", path }, `CNI_NETNS: ${path} cannot be entered`, {
      hint: "It must be a network namespace, and the plugin must run as root.",
    });
  closeSync(namespace);
  const socket = libc.socket(AF_INET, SOCK_DGRAM, 0);
  // struct ifreq: the name in 16 bytes, then the flags in two.
  const request = new Uint8Array(40);
  request.set(new TextEncoder().encode("lo"));
  const view = new DataView(request.buffer);
  const act = (name: string, number: number): void => {
    if (socket < 0 || libc.ioctl(socket, number, request) !== 0)
      throw new SelvedgeError({ kind: "kernel", call: `ioctl ${name} lo`, errno: 0 }, `ioctl ${name} lo was refused`);
  };
  act("SIOCGIFFLAGS", SIOCGIFFLAGS);
  if (raise) {
    view.setUint16(16, view.getUint16(16, true) | IFF_UP, true);
    act("SIOCSIFFLAGS", SIOCSIFFLAGS);
  }
  return { up: (view.getUint16(16, true) & IFF_UP) !== 0, ipv6: hasIpv6() };
}

/** Each line: the address in 32 digits, index, length, scope, flags, link. No file: a kernel without IPv6. */
function hasIpv6(): boolean {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  try {
    const lines = readFileSync("/proc/thread-self/net/if_inet6", "utf8").split("\n");
    return lines.some((line) => line.startsWith(`${"0".repeat(31)}1 `));
  } catch {
    return false;
  }
}

/** Network namespaces of a test, by name below /run/netns, removed at the end whatever happened. */
import { existsSync } from "node:fs";
import { inside, must, run } from "./program.ts";

export const pathOf = (name: string): string => `/run/netns/${name}`;

/** Makes a namespace with its loopback up; one that is left from a broken run is replaced. */
export async function makeNamespace(name: string): Promise<void> {
  await removeNamespace(name);
  await must(["ip", "netns", "add", name]);
  await ip(name, "link set lo up");
}

/** iproute2 on what is in a namespace. @param words what would be typed behind `ip -n NAME`. @throws Error as `must` does */
export const ip = (namespace: string, words: string): Promise<string> =>
  must(["ip", "-n", namespace, ...words.split(" ")]);

/** IPv6 addresses of links that come there count at once: nobody looks for duplicates. */
export async function trustAddresses(name: string): Promise<void> {
  await must(inside(name, ["/bin/sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad"]));
}

/** Removes a namespace; one that is gone is fine. */
export async function removeNamespace(name: string): Promise<void> {
  if (existsSync(pathOf(name))) await run(["ip", "netns", "delete", name]);
}

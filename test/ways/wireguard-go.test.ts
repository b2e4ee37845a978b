/** WireGuard where the kernel has none: wireguard-go, a program for each node. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll } from "@jest/globals";
import { keyDirectory, PUBLIC_KEYS } from "../support/keys.ts";
import { needing } from "../support/requirement.ts";
import { largestPackets } from "./largest.ts";
import { makeWire, type Name, removeWire } from "./rig.ts";

const PROGRAM = join(process.cwd(), ".cache", "wireguard", "wireguard");
const able = process.getuid?.() === 0;
const directory = keyDirectory();
beforeAll(() => (able ? makeWire() : undefined));
afterAll(() => {
  if (able) removeWire();
  rmSync(directory, { recursive: true });
});

const port = 51_830;
const [n1, n2, n3] = PUBLIC_KEYS;
const keys = { n1: { publicKeys: [n1], port }, n2: { publicKeys: [n2], port }, n3: { publicKeys: [n3], port } };

/** The nodes share one file system, and wireguard-go has one directory for its sockets: each sees its own there. */
function onNode(name: Name) {
  const sockets = join(directory, name);
  mkdirSync(sockets, { recursive: true });
  const script = 'mkdir -p /var/run/wireguard && mount --bind "$0" /var/run/wireguard && exec "$1" "$2"';
  const command = ["nsenter", `--net=/run/netns/${name}`, "unshare", "--mount", "sh", "-c", script, sockets, PROGRAM];
  return { keys: directory, userspace: { command, sockets } };
}

largestPackets(
  needing("root", { program: "ip" }, { program: "nft" }, { program: "ping" }, { file: PROGRAM }),
  [
    { way: "wireguard", underlay: 4, pods: 4, near: 1440, far: 1440 },
    { way: "wireguard", underlay: 4, pods: 6, near: 1440, far: 1440 },
    { way: "wireguard", underlay: 6, pods: 4, near: 1420, far: 1420 },
    { way: "cross-subnet", encrypt: true, underlay: 4, pods: 4, near: 1440, far: 1390 },
  ],
  { keys, wireguard: onNode },
);

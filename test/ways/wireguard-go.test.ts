/** WireGuard where the kernel has none: wireguard-go, a program for each node. */
import { rmSync } from "node:fs";
import { afterAll, beforeAll } from "@jest/globals";
import { keyDirectory } from "../support/keys.ts";
import { needing } from "../support/requirement.ts";
import { largestPackets } from "./largest.ts";
import { makeWire, removeWire } from "./rig.ts";
import { KEYS, onNode, PROGRAM } from "./userspace.ts";

const able = process.getuid?.() === 0;
const directory = keyDirectory();
beforeAll(() => (able ? makeWire() : undefined));
afterAll(() => {
  if (able) removeWire();
  rmSync(directory, { recursive: true });
});

largestPackets(
  needing("root", { program: "ip" }, { program: "nft" }, { program: "ping" }, { file: PROGRAM }),
  [
    { way: "wireguard", underlay: 4, pods: 4, near: 1440, far: 1440 },
    { way: "wireguard", underlay: 4, pods: 6, near: 1440, far: 1440 },
    { way: "wireguard", underlay: 6, pods: 4, near: 1420, far: 1420 },
    { way: "cross-subnet", encrypt: true, underlay: 4, pods: 4, near: 1440, far: 1390 },
  ],
  { keys: KEYS, wireguard: onNode(directory) },
);

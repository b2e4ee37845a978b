/** GRE and WireGuard of the guest's kernel, alone and within each other. */
import { rmSync } from "node:fs";
import { afterAll, beforeAll } from "@jest/globals";
import { keyDirectory, PUBLIC_KEYS } from "../support/keys.ts";
import { needing } from "../support/requirement.ts";
import { largestPackets } from "./largest.ts";
import { makeWire, removeWire } from "./rig.ts";

const directory = keyDirectory();
beforeAll(() => makeWire());
afterAll(() => {
  removeWire();
  rmSync(directory, { recursive: true });
});

const port = 51_830;
const [n1, n2, n3] = PUBLIC_KEYS;
const keys = { n1: { publicKeys: [n1], port }, n2: { publicKeys: [n2], port }, n3: { publicKeys: [n3], port } };

largestPackets(
  needing("root", { program: "ip" }, { program: "nft" }, { program: "ping" }),
  [
    { way: "gre", underlay: 4, pods: 4, near: 1472, far: 1472 },
    { way: "gre", underlay: 4, pods: 6, near: 1472, far: 1472 },
    { way: "gre", underlay: 6, pods: 4, near: 1452, far: 1452 },
    { way: "gre", underlay: 6, pods: 6, near: 1452, far: 1452 },
    { way: "wireguard", underlay: 4, pods: 4, near: 1440, far: 1440 },
    { way: "wireguard", underlay: 4, pods: 6, near: 1440, far: 1440 },
    { way: "wireguard", underlay: 6, pods: 4, near: 1420, far: 1420 },
    { way: "wireguard", underlay: 6, pods: 6, near: 1420, far: 1420 },
    // Directly becomes WireGuard alone; VXLAN and GRE run within it, between IPv4 addresses.
    { way: "cross-subnet", encrypt: true, underlay: 4, pods: 4, near: 1440, far: 1390 },
    { way: "cross-subnet", encrypt: true, underlay: 6, pods: 6, near: 1420, far: 1370 },
    { way: "gre", encrypt: true, underlay: 4, pods: 4, near: 1412, far: 1412 },
    { way: "gre", encrypt: true, underlay: 6, pods: 6, near: 1392, far: 1392 },
  ],
  { keys, wireguard: () => ({ keys: directory }) },
);

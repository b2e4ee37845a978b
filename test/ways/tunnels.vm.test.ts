/** GRE and WireGuard of the guest's kernel, alone and within each other. */
import { rmSync } from "node:fs";
import { afterAll, beforeAll } from "@jest/globals";
import { keyDirectory } from "../support/keys.ts";
import { needing } from "../support/requirement.ts";
import { largestPackets } from "./largest.ts";
import { makeWire, removeWire } from "./rig.ts";
import { rotate } from "./rotation.ts";
import { KEYS } from "./userspace.ts";

const directory = keyDirectory();
beforeAll(() => makeWire());
afterAll(() => {
  removeWire();
  rmSync(directory, { recursive: true });
});

const test = needing("root", { program: "ip" }, { program: "nft" }, { program: "ping" }, { file: "/usr/bin/python3" });
const options = { keys: KEYS, wireguard: () => ({ keys: directory }) };

test("the kernel's WireGuard: a key is replaced while two streams run", () => rotate(options), 300_000);

largestPackets(
  test,
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
  options,
);

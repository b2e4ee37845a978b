import { afterAll, beforeAll } from "@jest/globals";
import { needing } from "../support/requirement.ts";
import { largestPackets } from "./largest.ts";
import { makeWire, removeWire } from "./rig.ts";

const able = process.getuid?.() === 0;
beforeAll(() => (able ? makeWire() : undefined));
afterAll(() => (able ? removeWire() : undefined));

largestPackets(needing("root", { program: "ip" }, { program: "nft" }, { program: "ping" }), [
  { way: "direct", underlay: 4, pods: 4, near: 1500, far: 1500 },
  { way: "direct", underlay: 4, pods: 6 },
  { way: "direct", underlay: 6, pods: 4, near: 1500, far: 1500 },
  { way: "direct", underlay: 6, pods: 6, near: 1500, far: 1500 },
  { way: "vxlan", underlay: 4, pods: 4, near: 1450, far: 1450 },
  { way: "vxlan", underlay: 4, pods: 6, near: 1450, far: 1450 },
  { way: "vxlan", underlay: 6, pods: 4, near: 1430, far: 1430 },
  { way: "vxlan", underlay: 6, pods: 6, near: 1430, far: 1430 },
  { way: "cross-subnet", underlay: 4, pods: 4, near: 1500, far: 1450 },
  { way: "cross-subnet", underlay: 4, pods: 6, near: 1450, far: 1450 },
  { way: "cross-subnet", underlay: 6, pods: 4, near: 1500, far: 1430 },
  { way: "cross-subnet", underlay: 6, pods: 6, near: 1500, far: 1430 },
]);

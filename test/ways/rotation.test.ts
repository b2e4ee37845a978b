import { rmSync } from "node:fs";
import { afterAll, beforeAll } from "@jest/globals";
import { keyDirectory } from "../support/keys.ts";
import { needing } from "../support/requirement.ts";
import { makeWire, removeWire } from "./rig.ts";
import { rotate } from "./rotation.ts";
import { KEYS, onNode, PROGRAM } from "./userspace.ts";

const test = needing("root", { program: "ip" }, { program: "nft" }, { file: PROGRAM }, { file: "/usr/bin/python3" });
const able = process.getuid?.() === 0;
const directory = keyDirectory();
beforeAll(() => (able ? makeWire() : undefined));
afterAll(() => {
  if (able) removeWire();
  rmSync(directory, { recursive: true });
});

test(
  "wireguard-go: a key is replaced while two streams run",
  () => rotate({ keys: KEYS, wireguard: onNode(directory) }),
  60_000,
);

/** A cluster for tests. */
import { address, prefix } from "#lib/address.ts";
import { choiceText } from "../chosen.ts";
import type { EdgeView } from "../router.ts";

/** Pods that there are. */
export const CHOSEN = { namespace: "shop", labels: { app: "web" }, most: 2 };
/** Three nodes, of which the last is dead. */
export const VIEW: EdgeView = {
  pools: [
    { name: "default", prefixes: [prefix("10.66.0.0/16"), prefix("fd66::/64")], isExposed: true },
    { name: "media", prefixes: [prefix("10.67.0.0/20")], isExposed: true },
    { name: "blue", prefixes: [prefix("10.0.0.0/16")], isExposed: false },
  ],
  nodes: [
    {
      name: "alpha",
      addresses: [address("192.0.2.11"), address("2001:db8::11")],
      isAlive: true,
      destinations: [
        { pool: "default", prefix: prefix("10.66.0.0/26") },
        { pool: "default", prefix: prefix("10.66.0.64/26") },
        { pool: "default", prefix: prefix("fd66::/122") },
        { pool: "blue", prefix: prefix("10.0.0.0/26") },
      ],
    },
    {
      name: "beta",
      addresses: [address("192.0.2.12"), address("2001:db8::12")],
      isAlive: true,
      destinations: [
        { pool: "default", prefix: prefix("10.66.0.128/26") },
        { pool: "default", prefix: prefix("10.66.9.9/32") },
      ],
    },
    {
      name: "gamma",
      addresses: [address("192.0.2.13")],
      isAlive: false,
      destinations: [{ pool: "default", prefix: prefix("10.66.1.0/26") }],
    },
  ],
  egress: [],
  pods: new Map([
    [choiceText(CHOSEN), ["10.66.0.6", "10.66.0.5", "10.66.9.1", "fd66::5"].map((each) => address(each))],
  ]),
};

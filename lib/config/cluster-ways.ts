/** The part of the configuration's shape that is about the ways between the nodes of a cluster. */
import { z } from "zod";
import { absolutePath, flag, integer, oneOf, setting } from "./leaves.ts";

const section = <S extends z.ZodRawShape>(shape: S, example: string) =>
  z.strictObject(shape, { error: `an object such as ${example}` }).prefault({} as never);

/** Beside `store`, `node` and `probe`. All nodes have the same. */
export const ways = {
  way: setting(
    oneOf("auto", "cross-subnet", "direct", "vxlan", "gre", "wireguard").default("auto"),
    "How packets get from node to node. `auto` and `cross-subnet`: directly within a segment, in a tunnel beyond it; " +
      "`auto` takes the first of vxlan, gre and wireguard that both nodes have, `cross-subnet` vxlan alone. `direct`: the network between the nodes routes pods' addresses.",
  ),
  encrypt: setting(
    flag.default(false),
    "What pods of different nodes tell each other travels in WireGuard, whichever the way.",
  ),
  flowOffload: setting(
    flag.default(false),
    "What comes for an established TCP or UDP connection by VXLAN, by WireGuard or by a link that leads to other nodes directly, from whomever, goes to a spoof-protected `ptp` pod past the firewall's chains; what pods send never does.",
  ),
  vxlan: section(
    {
      vni: setting(integer(1, 16_777_215).default(4_096), "VXLAN network identifier."),
      port: setting(integer(1, 65_535).default(4_789), "UDP port."),
    },
    "{port: 8472}",
  ),
  gre: section(
    {
      key: setting(integer(1, 0xffff_ffff).default(4_096), "Key (RFC 2890) that tells Selvedge's packets from others."),
    },
    "{key: 7}",
  ),
  wireguard: section(
    {
      port: setting(integer(1, 65_535).default(51_830), "UDP port."),
      program: setting(absolutePath.optional(), "wireguard-go, for a kernel without WireGuard."),
      rotateHours: setting(integer(1, 8_760).default(168), "Every node takes a new key so often."),
      leadSeconds: setting(
        integer(1, 86_400).default(60),
        "How long a new key is known to the other nodes before it is used, and the old one accepted after that.",
      ),
    },
    "{port: 51820}",
  ),
} as const;

/** The part of the configuration's shape that is about fixed addresses by which pods leave the cluster. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { fullListOf, integer, ip, link, listOf, name, setting, words } from "./leaves.ts";
import { podRule } from "./pod-rule.ts";

const pods = z.strictObject(
  {
    tenant: setting(name.optional(), "Tenant all of whose pods are meant; says nothing else beside it."),
    network: setting(name.optional(), "Network that the pod is attached to."),
    ...podRule,
  },
  { error: "an object such as {namespace: billing}" },
);

export const egress = z.strictObject(
  {
    name: setting(name, "For people, and for the tunnel that leads to the holder; the same on all nodes."),
    addresses: setting(
      fullListOf(ip, "a list of addresses", "address"),
      "What the world outside sees, at most one of each family; nobody else's, and in no pool. IPv6 without an address of its own leaves as everybody's does.",
    ),
    pods: setting(
      fullListOf(pods, "a list of rules", "rule"),
      "Whose: pods that one of these rules means. A pod is the first's whose rule means it.",
    ),
    nodes: setting(
      listOf(words, "a list of texts").default(["*"]),
      "Names of the nodes that may hold the addresses, the preferred first; `*` stands for any letters.",
      "all",
    ),
    link: setting(
      link.optional(),
      "Link of the holder that the addresses are on; a node without it holds none.",
      "that of the default route",
    ),
    holdSeconds: setting(
      integer(5, 3_600).default(10),
      "A holder that does not reach the store gives the addresses up so long after, and so long after the store has lost it another node takes them.",
    ),
    vni: setting(
      integer(1, 16_777_215).optional(),
      "VXLAN network identifier of the tunnel to the holder.",
      "follows from the name, 8388608 and up",
    ),
  },
  { error: "an object such as {name: billing, addresses: [192.0.2.200], pods: [{namespace: billing}]}" },
);

/** 23 bits of the name, above what people number by hand. */
export const vniOf = (of: { readonly name: string; readonly vni?: number | undefined }): number =>
  of.vni ?? 0x80_0000 + (createHash("sha256").update(of.name).digest().readUInt32BE() % 0x80_0000);

/** Parts of the configuration that Kubernetes may hold as objects of their own, beside what the file says. */
import type { z } from "zod";
import { router } from "./edge-schema.ts";
import { network, pool } from "./schema.ts";
import { SHORT_KEYS, SHORTHAND } from "./shorthand.ts";
import { tenant } from "./tenant-schema.ts";

export interface ResourceKind {
  readonly kind: "Tenant" | "AddressPool" | "Network" | "Router";
  /** Path of the list of the configuration that has its counterparts. */
  readonly list: readonly string[];
  /** Of a member of the list, whose `name` is the object's. */
  readonly schema: z.ZodObject;
  /** Members that its lists have, where they do not say so themselves. */
  readonly most: number;
  /** Settings that an object keeps: what stands on nodes is made of them. */
  readonly kept: readonly string[];
  /** Rules in CEL between several settings. The nodes hold to them, too: these are told at once. */
  readonly rules: readonly { readonly rule: string; readonly message: string }[];
}

/** What others name comes before them. */
export const RESOURCE_KINDS: readonly ResourceKind[] = [
  {
    kind: "Tenant",
    list: ["tenants"],
    schema: tenant,
    most: 64,
    kept: [],
    rules: [
      {
        rule: "!has(self.services) || self.services.all(s, self.services.exists_one(o, o.address == s.address && o.port == s.port && o.protocol == s.protocol))",
        message: "An address, protocol and port lead to one service.",
      },
      {
        rule: "!has(self.services) || self.services.all(s, s.address.contains(':') == s.to.startsWith('['))",
        message: "A service's address is of the family of its server.",
      },
    ],
  },
  {
    kind: "AddressPool",
    list: ["pools"],
    schema: pool,
    most: 64,
    kept: ["ranges", "blockSize"],
    rules: [],
  },
  {
    kind: "Network",
    list: ["networks"],
    schema: network,
    most: 64,
    kept: ["attachment", "parent", "bridge", "vlan", "tenant"],
    rules: [
      { rule: "!(has(self.pool) && has(self.pools))", message: "It has either a pool or pools." },
      {
        rule: "!has(self.reportProbeAddress) || !self.reportProbeAddress || has(self.tenant)",
        message: "reportProbeAddress is possible on a tenant's network only.",
      },
      ...SHORT_KEYS.map((key) => {
        const able = Object.entries(SHORTHAND).flatMap(([type, has]) => (has[key] === undefined ? [] : [type]));
        const types = able.map((type) => `'${type}'`).join(", ");
        return {
          rule: `!has(self.${key}) || !has(self.attachment) || self.attachment in [${types}]`,
          message: `${key} is possible with attachment ${able.join(", ")}.`,
        };
      }),
    ],
  },
  {
    kind: "Router",
    list: ["edge", "routers"],
    schema: router,
    most: 1_024,
    kept: [],
    rules: [
      { rule: "!(has(self.static) && has(self.bgp))", message: "It has either static or bgp." },
      {
        rule: "!has(self.bgp) || !has(self.bgp.addresses) || self.bgp.addresses.size() == 0 || self.bgp.nodesAs != 'external'",
        message: "bgp.nodesAs is a number, or internal, where nodes call bgp.addresses.",
      },
      ...(
        [
          ["sites", "wireguard", "ipsec"],
          ["legs", "vxlan", "gre"],
          ["loadBalancers", "servers", "pods"],
          ["virtualServers", "servers", "pods"],
        ] as const
      ).map(([list, one, other]) => ({
        rule: `!has(self.${list}) || self.${list}.all(each, has(each.${one}) != has(each.${other}))`,
        message: `Each of ${list} has either ${one} or ${other}.`,
      })),
    ],
  },
];

export type ResourceKindName = ResourceKind["kind"];

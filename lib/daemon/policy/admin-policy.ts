/** The part of the Admin service that is about network policies. */
import { address, family } from "#lib/address.ts";
import type { AdminHandlers } from "#lib/api/server.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { integer, oneOf, root } from "#lib/parse.ts";
import { type End, isWho, type Packet, type Verdict, verdict } from "#lib/policy/decide.ts";
import { PROTOCOLS, podKey } from "#lib/policy/objects.ts";
import { type Core, hostOf } from "../core.ts";
import { NODE } from "../host.ts";
import { keptOf } from "./held.ts";
import type { Policies } from "./policies.ts";
import { becauseOf, endAt, toldFlows } from "./told-flows.ts";

type Handlers = Pick<AdminHandlers, "tracePolicy" | "listPolicies" | "listVerdicts">;

export function adminPolicy(core: Core): Handlers {
  const policiesOf = (): Policies => {
    if (core.policies !== undefined) return core.policies;
    throw new SelvedgeError({ kind: "config-invalid", field: "policies" }, "no policies are configured on this node", {
      hint: "`policies.directory` in the daemon's configuration says where they are.",
    });
  };

  /** Interfaces of a pod of this node for which nothing can be kept. */
  const blindOf = ({ pod }: End): string[] =>
    pod === undefined
      ? []
      : [...core.table]
          .filter((record) => record.pod === podKey(pod))
          .flatMap((record) => keptOf(record).unseen)
          .map(
            ({ ifname, type }) =>
              `${podKey(pod)} ${ifname} is not held to policies: the packets of ${type} do not pass the node's routing`,
          );

  /** Why nobody asks the policies: nothing is forwarded between the node and its own pods. */
  const withinNode = (...ends: readonly End[]): string[] | undefined => {
    const own = ends.find(({ address: each, pod }) => pod === undefined && core.node.addresses.includes(each));
    const isHere = ends.some(({ pod }) => pod !== undefined && [...core.table].some((r) => r.pod === podKey(pod)));
    return own !== undefined && isHere
      ? [`${own.address} is this node's: it and its pods reach each other, whatever policies say`]
      : undefined;
  };

  return {
    tracePolicy: async ({ from, to, protocol, port }) => {
      const policies = policiesOf();
      const packet: Packet =
        protocol === ""
          ? { protocol: "other", port: 0 }
          : {
              protocol: oneOf(root(protocol, "protocol"), PROTOCOLS),
              port: integer(root(port, "port"), { min: 1, max: 65_535 }),
            };
      const [[source, target], ...others] = pairsOf(policies, from, to);
      const within = withinNode(source, target);
      const answer = within === undefined ? verdict(policies.enforcement, source, target, packet) : ACCEPTED;
      const differing = others.flatMap(([one, other]) => {
        const theirs = verdict(policies.enforcement, one, other, packet);
        return theirs.verdict === answer.verdict
          ? []
          : [`from ${one.address} to ${other.address}: ${theirs.verdict}: ${becauseOf(theirs)}`];
      });
      return {
        verdict: answer.verdict,
        audit: policies.audit,
        sides: (["egress", "ingress"] as const).flatMap((direction) => {
          const side = answer[direction];
          if (side === undefined) return [];
          const { pod } = direction === "egress" ? source : target;
          const { policy = "", rule = "", because } = side;
          return [
            { direction, pod: pod === undefined ? "" : podKey(pod), verdict: side.verdict, policy, rule, because },
          ];
        }),
        notes: [...new Set([...(within ?? []), ...differing, ...blindOf(source), ...blindOf(target)])],
      };
    },

    listPolicies: async () => {
      const policies = policiesOf();
      const { enforcement } = policies;
      const own = [...core.table].flatMap((record) => {
        const { held } = keptOf(record);
        return held === undefined ? [] : (enforcement.pod(podKey(held)) ?? []);
      });
      const rank = { admin: 0, network: 1, baseline: 2 } as const;
      return {
        policies: enforcement.policies
          .toSorted((a, b) => rank[a.tier] - rank[b.tier] || a.priority - b.priority || (a.name < b.name ? -1 : 1))
          .map(({ name, tier, priority, subject, rules }) => ({
            name,
            tier,
            priority,
            rules: (rules.ingress?.length ?? 0) + (rules.egress?.length ?? 0),
            pods: [...new Set(own.filter((pod) => isWho(enforcement, subject, pod)).map(podKey))].sort(),
          })),
        mistakes: [
          ...[...policies.refused].map(([object, message]) => ({ object, message })),
          ...enforcement.policies.flatMap(({ name, closed = [] }) =>
            closed.map((message) => ({ object: name, message })),
          ),
        ],
        audit: policies.audit,
        elements: countOf(enforcement.elements()),
      };
    },

    listVerdicts: async ({ verdict: wanted }) => {
      const policies = policiesOf();
      const { kernel } = hostOf(core, NODE);
      const verdicts = wanted === "" ? (["accept", "deny"] as const) : [oneOf(root(wanted, "verdict"), VERDICTS)];
      const flows = await toldFlows(kernel, policies.enforcement, verdicts);
      return { flows: flows.sort((a, b) => b.packets - a.packets), audit: policies.audit };
    },
  };
}

const VERDICTS = ["accept", "deny"] as const;
const ACCEPTED: Verdict = { verdict: "accept" };

type Pair = readonly [source: End, target: End];

/** Pods by name or by address; of two pods, addresses of each family. @throws SelvedgeError config-invalid */
function pairsOf(policies: Policies, from: string, to: string): [Pair, ...Pair[]] {
  const [sources = [], targets = []] = [
    [from, "from"],
    [to, "to"],
  ].map(([name = "", field = ""]) => endsNamed(policies, name, field));
  const [first, ...others] = ([4, 6] as const).flatMap((f): Pair[] => {
    const [source, target] = [sources, targets].map((ends) => ends.find((each) => family(each.address) === f));
    return source === undefined || target === undefined ? [] : [[source, target]];
  });
  if (first !== undefined) return [first, ...others];
  throw new SelvedgeError({ kind: "config-invalid", field: "to" }, `${from} and ${to} have no addresses of one family`);
}

function endsNamed(policies: Policies, name: string, field: string): End[] {
  if (!name.includes("/")) return [endAt(policies.enforcement, address(name, field))];
  const pod = policies.enforcement.pod(name);
  if (pod !== undefined && pod.addresses.length > 0) return pod.addresses.map((own) => ({ address: own, pod }));
  throw new SelvedgeError(
    { kind: "config-invalid", field },
    `${field}: ${JSON.stringify(name)} is no pod that ${pod === undefined ? "policies know of" : "has an address"}`,
    { hint: "A pod is named namespace/name; an address will do as well, and is what a pod on its node's network has." },
  );
}

/** Of items that are made as they are asked for. */
function countOf(items: Iterable<unknown>): number {
  let count = 0;
  for (const _ of items) count++;
  return count;
}

/** What policies of this node let pass and deny, flow by flow, with the names of those who send and with the rule. */
import { FLOW_SETS } from "#lib/datapath/policy-chains.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { type End, type Verdict, verdict } from "#lib/policy/decide.ts";
import type { Enforcement } from "#lib/policy/enforcement.ts";
import { type Protocol, podKey } from "#lib/policy/objects.ts";

export interface ToldFlow {
  /** `namespace/pod`, or an address. */
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
  /** As it was. */
  readonly verdict: "accept" | "deny";
  /** That began a connection, or would have. */
  readonly packets: number;
  /** As the policies are now. */
  readonly because: string;
}

/** Flows of the last minutes. @throws SelvedgeError kernel */
export async function toldFlows(
  kernel: Pick<Kernel, "flows">,
  enforcement: Enforcement,
  wanted: readonly ToldFlow["verdict"][],
): Promise<ToldFlow[]> {
  const told: ToldFlow[] = [];
  for (const seen of wanted)
    for (const f of [4, 6] as const)
      for (const { from, to, protocol, port, packets } of await kernel.flows(`${SET_OF[seen]}${f}`)) {
        const [source, target] = [endAt(enforcement, from), endAt(enforcement, to)];
        const answer = verdict(enforcement, source, target, { protocol: protocol as Protocol, port });
        const names = { from: nameOf(source), to: nameOf(target) };
        told.push({ ...names, protocol, port, verdict: seen, packets, because: becauseOf(answer) });
      }
  return told;
}

const SET_OF = { accept: FLOW_SETS.passed, deny: FLOW_SETS.denied } as const;

/** What decides: what denies, else what accepts by name. */
export function becauseOf({ egress, ingress }: Verdict): string {
  const sides = [egress, ingress].filter((side) => side !== undefined);
  const said = sides.find((side) => side.verdict === "deny") ?? sides.find((side) => side.policy !== undefined);
  return (said ?? sides[0])?.because ?? "a pod reaches itself";
}

const nameOf = ({ pod, address }: End): string => (pod === undefined ? address : podKey(pod));

export function endAt(enforcement: Pick<Enforcement, "podAt">, address: End["address"]): End {
  const pod = enforcement.podAt(address);
  return pod === undefined ? { address } : { address, pod };
}

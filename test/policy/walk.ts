/** The kernel's way through the sets and chains of policies (lib/datapath/policy-chains.ts), for one packet, in memory. */
import { type Address, family, toNumber } from "#lib/address.ts";
import type { Enforcement } from "#lib/policy/enforcement.ts";
import { element } from "#lib/state/element.ts";
import { identity } from "#lib/state/fact.ts";
import type { SetName } from "#lib/state/sets.ts";

export interface Packet {
  readonly from: Address;
  readonly to: Address;
  readonly protocol: string;
  readonly port: number;
}

export type Walk = (packet: Packet) => { readonly egress: boolean; readonly ingress: boolean };

/** `true`: it passes on that side. */
export function walker(compiled: Pick<Enforcement, "elements" | "outside" | "longRanges">): Walk {
  const standing = new Map([...compiled.elements()].map((fact) => [identity(fact), fact]));
  const at = (set: string, ...key: string[]) => standing.get(identity(element("inet", set as SetName<"inet">, key)));

  /** The row's verdict. */
  const passes = (row: string, { protocol, port }: Packet): boolean => {
    const isException =
      at("policy_ports", row, protocol, String(port)) !== undefined ||
      at("policy_protocols", row, protocol) !== undefined ||
      compiled
        .longRanges()
        .some((range) => range.row === row && range.protocol === protocol && range.first <= port && port <= range.last);
    return (at("policy_denies", row) === undefined) !== isException;
  };

  const outsideClass = (address: Address): string => {
    const n = toNumber(address);
    return compiled.outside().find((r) => r.family === family(address) && r.first <= n && n <= r.last)?.peers ?? "0:0";
  };

  return (packet) => {
    const f = family(packet.from);
    const side = (way: "in" | "out", subject: Address, peer: Address): boolean => {
      if (at(`confined_${way}${f}`, subject) === undefined) return true;
      if (at(`policy_self${f}`, packet.from, packet.to) !== undefined) return true;
      const pod = at(`policy_pods${f}`, peer)?.value?.[0];
      const tries = pod === undefined ? [outsideClass(peer), "0:0"] : [pod, "0:1"];
      const row = tries.flatMap((peers) => at(`policy_${way}${f}`, subject, peers)?.value ?? [])[0];
      if (row === undefined) throw new Error(`no row for ${way} ${subject} ${peer}`);
      return passes(row, packet);
    };
    return { egress: side("out", packet.from, packet.to), ingress: side("in", packet.to, packet.from) };
  };
}

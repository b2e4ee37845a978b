/** What a plugin answers to ADD, as far as tests here ask of it (CNI 1.1.0, "ADD Success"). */
import type { JsonObject } from "../../conformance/subject.ts";

export interface Result {
  readonly interfaces: readonly {
    readonly name: string;
    readonly mac: string;
    readonly mtu?: number;
    readonly sandbox?: string;
  }[];
  readonly ips: readonly { readonly address: string; readonly interface: number }[];
  readonly routes: readonly { readonly dst: string; readonly gw?: string }[];
  readonly dns: JsonObject;
}

/** Addresses of each interface of the pod, without lengths. */
export const addressesOf = ({ interfaces, ips }: Result): Record<string, string[]> =>
  Object.fromEntries(
    interfaces.flatMap(({ name, sandbox }, i) =>
      sandbox === undefined
        ? []
        : [[name, ips.flatMap((ip) => (ip.interface === i ? (ip.address.split("/")[0] ?? "") : []))]],
    ),
  );

/** A strict `Delegate` without processes: an IPAM plugin that keeps to the specification and notices who does not. */
import type { Address, Prefix } from "#lib/address.ts";
import type { Result } from "#lib/cni/types.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Delegate, Delegation } from "./delegate.ts";

export interface FakeDelegate {
  readonly delegate: Delegate;
  /** What was asked, in order. */
  readonly calls: readonly Delegation[];
  /** Keys `containerId/ifname` that hold an address. */
  readonly held: ReadonlySet<string>;
  /** Makes the next call of a verb fail with this CNI code. */
  failNext(verb: Delegation["verb"], code: number): void;
}

/** Hands out 10.89.0.2, 10.89.0.3, …; a second ADD for one key is refused, a DEL never is. */
export function fakeDelegate(plugin = "fake-ipam"): FakeDelegate {
  const calls: Delegation[] = [];
  const held = new Set<string>();
  const failing = new Map<Delegation["verb"], number>();
  let last = 1;
  const refuse = (code: number, message: string): never => {
    throw new SelvedgeError({ kind: "delegate", plugin, code }, message);
  };
  const delegate: Delegate = async (delegation) => {
    const { verb, containerId, ifname } = delegation;
    calls.push(delegation);
    if (delegation.plugin !== plugin) refuse(0, `failed to find plugin ${JSON.stringify(delegation.plugin)}`);
    const code = failing.get(verb);
    failing.delete(verb);
    if (code !== undefined) refuse(code, `${verb} was told to fail`);
    if (verb === "GC" || verb === "STATUS") return undefined;
    if (containerId === "" || ifname === "") refuse(4, "required env variables [CNI_CONTAINERID,CNI_IFNAME] missing");
    const key = `${containerId}/${ifname}`;
    if (verb === "ADD") {
      if (held.has(key)) refuse(100, `${key} already has an address`);
      held.add(key);
      return result(++last);
    }
    if (verb === "CHECK" && !held.has(key)) refuse(101, `${key} has no address`);
    if (verb === "DEL") held.delete(key);
    return undefined;
  };
  return { delegate, calls, held, failNext: (verb, code) => void failing.set(verb, code) };
}

function result(host: number): Result {
  const ip = { address: `10.89.0.${host}/24` as Prefix, gateway: "10.89.0.1" as Address };
  return { interfaces: [], ips: [ip], routes: [{ dst: "0.0.0.0/0" as Prefix }], dns: {} };
}

/** What `${a.ip4}` and its like stand for in a step. */
import type { Step } from "./case.ts";
import type { Node } from "./node.ts";
import { isObject, type Json, type JsonObject } from "./subject.ts";

export interface Attached {
  /** Absent when the ADD failed. */
  readonly result: JsonObject | undefined;
}

/** `a` or `a/eth1` to what is known of it by name. */
export type Places = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** @param attached by "container/interface" */
export function facts(
  { node, outside }: Node,
  namespaces: ReadonlyMap<string, string>,
  attached: ReadonlyMap<string, Attached>,
  prefix: string,
): Places {
  const places = new Map<string, Record<string, string>>([
    ["node", { ...node }],
    ["outside", { ...outside }],
  ]);
  for (const [name, namespace] of namespaces) places.set(name, { namespace, id: `${prefix}-${name}` });
  for (const [name, { result }] of attached) {
    const [container = "", ifname = ""] = name.split("/");
    const known = { ...places.get(container), ...(result && resultFacts(result, ifname)) };
    places.set(name, known);
    if (ifname === "eth0") places.set(container, known);
    for (const [other, facts] of furtherFacts(result, ifname)) places.set(`${container}/${other}`, facts);
  }
  return places;
}

/** Of the pod's other interfaces, which one ADD may have made with its own. */
function furtherFacts(result: JsonObject | undefined, own: string): [name: string, facts: Record<string, string>][] {
  return objects(result?.interfaces).flatMap(({ name, sandbox }, i) => {
    if (typeof name !== "string" || name === own || !sandbox) return [];
    const ips = objects(result?.ips).filter((ip) => ip.interface === i);
    return [[name, resultFacts({ ips }, name)]];
  });
}

/** Addresses without their length; `host` is the host's end of the pair, `gw4` the gateway. */
function resultFacts(result: JsonObject, ifname: string): Record<string, string> {
  const known: Record<string, string> = {};
  const old = [result.ip4, result.ip6].filter(isObject).map(({ ip, gateway }) => ({ address: ip, gateway }));
  for (const { address, gateway } of [...old, ...objects(result.ips)]) {
    const family = String(address).includes(":") ? 6 : 4;
    known[`ip${family}`] ??= String(address).replace(/\/.*/, "");
    if (typeof gateway === "string") known[`gw${family}`] ??= gateway;
  }
  const interfaces = objects(result.interfaces);
  const own = interfaces.find(({ name, sandbox }) => name === ifname && sandbox !== undefined && sandbox !== "");
  const host = interfaces.filter(({ sandbox }) => sandbox === undefined || sandbox === "").at(-1);
  if (typeof own?.mac === "string") known.mac = own.mac;
  if (typeof host?.name === "string") known.host = host.name;
  return known;
}

const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

/** The step with every name replaced. @throws Error for a name that stands for nothing */
export function filled(step: Step, places: Places): Step {
  const text = JSON.stringify(step).replaceAll(/\$\{([^}.]+)\.([^}]+)\}/g, (whole, place: string, property: string) => {
    const value = places.get(place)?.[property];
    if (value === undefined) throw new Error(`${whole} stands for nothing here`);
    return value;
  });
  return JSON.parse(text);
}

/** What a CNI result must look like in each version of the specification, whatever its addresses are. */
import { isObject, type Json, type JsonObject, type Version } from "./subject.ts";

export interface Expected {
  readonly version: Version;
  readonly ifname: string;
  readonly netns: string;
  /** Keys that the reference's answer has (in any interface), besides those that every result has. */
  readonly interfaceKeys?: readonly string[];
}

/** The one problem that some plugins are excused from. */
export const NO_MTU = "no interface has mtu";

const CIDR = /^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)\/[0-9]{1,3}$/;
const list = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** Everything that is wrong with `result`, one sentence each. */
export function shapeProblems(result: JsonObject, expected: Expected): string[] {
  const { version } = expected;
  const problems: string[] = [];
  if (result.cniVersion !== version) problems.push(`cniVersion is ${JSON.stringify(result.cniVersion)}`);
  // types/100 omits an empty dns object, every older version prints it.
  if (version.startsWith("0.") && !isObject(result.dns)) problems.push("dns is missing");
  if (version === "0.1.0" || version === "0.2.0") return [...problems, ...oldProblems(result)];
  for (const key of ["ip4", "ip6"]) if (key in result) problems.push(`${key} ended with 0.2.0`);
  return [...problems, ...interfaceProblems(result, expected), ...addressProblems(result, expected)];
}

/** 0.1.0 and 0.2.0: one address of each family, no interfaces. */
function oldProblems(result: JsonObject): string[] {
  const problems: string[] = [];
  for (const key of ["interfaces", "ips", "routes"]) if (key in result) problems.push(`${key} began with 0.3.0`);
  const given = ["ip4", "ip6"].flatMap((key) => (isObject(result[key]) ? [[key, result[key]] as const] : []));
  if (given.length === 0) problems.push("neither ip4 nor ip6");
  for (const [key, { ip }] of given) if (!CIDR.test(String(ip))) problems.push(`${key}.ip is ${JSON.stringify(ip)}`);
  return problems;
}

function interfaceProblems(result: JsonObject, { version, ifname, netns, interfaceKeys = [] }: Expected): string[] {
  const interfaces = list(result.interfaces);
  const problems: string[] = [];
  const own = interfaces.filter((one) => one.name === ifname && one.sandbox === netns);
  if (own.length !== 1) problems.push(`${own.length} interfaces named ${ifname} with sandbox ${netns}`);
  const kept = version.startsWith("1.");
  for (const key of ["mtu", "socketPath", "pciID"]) {
    const holders = interfaces.filter((one) => key in one);
    if (!kept && holders.length > 0) problems.push(`interfaces[].${key} is unknown to ${version}`);
    if (kept && interfaceKeys.includes(key) && holders.length === 0) problems.push(`no interface has ${key}`);
  }
  return problems;
}

function addressProblems(result: JsonObject, { version, netns }: Expected): string[] {
  const interfaces = list(result.interfaces);
  const ips = list(result.ips);
  const problems: string[] = ips.length === 0 ? ["no ips"] : [];
  for (const [at, { address, version: family, interface: index }] of ips.entries()) {
    if (!CIDR.test(String(address))) problems.push(`ips[${at}].address is ${JSON.stringify(address)}`);
    const right = version.startsWith("1.") ? undefined : String(address).includes(":") ? "6" : "4";
    if (family !== right) problems.push(`ips[${at}].version is ${JSON.stringify(family)}`);
    const holder = typeof index === "number" ? interfaces[index] : undefined;
    if (holder?.sandbox !== netns) problems.push(`ips[${at}].interface ${JSON.stringify(index)} is not in the pod`);
  }
  return problems;
}

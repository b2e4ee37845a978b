/** What other nodes have told of a path: another version of Selvedge may have written it. Undefined: nothing that can be read. */
import { PathHop, PathProbe } from "#proto/selvedge_pb.ts";
import type { End } from "./ends.ts";
import type { Departure } from "./legs.ts";

const isObject = (told: unknown): told is object => typeof told === "object" && told !== null;

const isEnd = (told: unknown): told is End =>
  isObject(told) && "containerId" in told && "ifname" in told && "addresses" in told && Array.isArray(told.addresses);

export const endsIn = (told: unknown): End[][] | undefined =>
  Array.isArray(told) && told.every((each) => Array.isArray(each) && each.every(isEnd)) ? told : undefined;

export const hopsIn = (told: unknown): PathHop[] | undefined =>
  Array.isArray(told) && told.every(isObject) ? told.map((each) => PathHop.of(each)) : undefined;

export const probesIn = (told: unknown): PathProbe[] | undefined =>
  Array.isArray(told) && told.every(isObject) ? told.map((each) => PathProbe.of(each)) : undefined;

export function departureIn(told: unknown): Departure | undefined {
  const hops = isObject(told) && "hops" in told ? hopsIn(told.hops) : undefined;
  if (hops === undefined || !isObject(told)) return undefined;
  return "way" in told && isObject(told.way) ? { hops, way: told.way as NonNullable<Departure["way"]> } : { hops };
}

/** How a runtime calls the built plugin for a container: environment and standard input (CNI 1.1.0, "Parameters"). */
import { join } from "node:path";
import { BUILT, type Daemon } from "../../conformance/daemon.ts";
import { pathOf } from "../../conformance/namespace.ts";
import { type JsonObject, overlay } from "../../conformance/subject.ts";

export const PLUGIN = join(BUILT, "selvedge");

export type Verb = "ADD" | "DEL" | "CHECK" | "GC" | "STATUS";

export interface Asked {
  /** Laid over the configuration. */
  readonly config?: JsonObject;
  /** Laid over the environment; an empty text leaves the variable out. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** For `run`. @param id of the container, and the name of its namespace */
export function invocation({ environment: found }: Daemon, verb: Verb, id: string, asked: Asked = {}) {
  const { config = {}, variables = {} } = asked;
  const all: Readonly<Record<string, string>> = {
    ...found,
    CNI_COMMAND: verb,
    CNI_CONTAINERID: id,
    CNI_NETNS: pathOf(id),
    CNI_IFNAME: "eth0",
    CNI_PATH: BUILT,
    PATH: process.env.PATH ?? "",
    ...variables,
  };
  const environment = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
  const input = JSON.stringify(overlay({ cniVersion: "1.1.0", name: "net", type: "selvedge" }, config));
  return { environment, input };
}

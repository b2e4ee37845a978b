/**
 * A list of plugins run as libcni runs it (containernetworking/cni, libcni/api.go): ADD in order, each with the result
 * of the one before; DEL in reverse order, each with the result of the ADD.
 */
import { type Command, type Ended, nowMs, run, runSync } from "./process.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export interface Pod {
  readonly id: string;
  /** /run/netns/… */
  readonly netns: string;
  /** Counts from 0 within a subject; two pods that live at the same time differ. */
  readonly number: number;
}

/** One plugin of a list: its program and its configuration for a pod, without what every list has in common. */
export interface Plugin {
  readonly program: string;
  /** Plugins that follow each other with one name are a chain of their own, as when a list is run for each interface. */
  readonly ifname?: string;
  config(pod: Pod): JsonObject;
}

export interface Subject {
  readonly name: string;
  /** One line for the reader. */
  readonly means: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly plugins: readonly Plugin[];
  /** The link of the node that its links hang on, at most eleven bytes. */
  readonly parent?: Parent;
}

export interface Parent {
  readonly name: string;
  /** Kind of the links on it, as `ip link add … type` has it. */
  readonly carries: "macvlan" | "ipvlan";
}

export interface Timed {
  readonly tookMs: number;
  readonly cpuMs: number;
  /** What the last plugin printed. */
  readonly output: string;
}

export type Verb = "ADD" | "DEL";

const CNI_VERSION = "1.0.0";

/** Name of the configuration list that a subject is. */
export const networkOf = ({ name }: Subject): string => name.replaceAll(" ", "-");

/** Gives commands one by one and is told how each ended. @throws Error when a plugin fails */
function* commands(subject: Subject, verb: Verb, pod: Pod, result: string): Generator<Command, string, Ended> {
  const plugins = verb === "ADD" ? subject.plugins : subject.plugins.toReversed();
  let previous = result;
  let chained = plugins[0]?.ifname;
  for (const plugin of plugins) {
    const common = { cniVersion: CNI_VERSION, name: networkOf(subject) };
    const { ifname } = plugin;
    if (ifname !== chained) previous = "";
    chained = ifname;
    const prevResult = previous === "" ? {} : { prevResult: JSON.parse(previous) as JsonObject };
    const ended = yield {
      argv: [plugin.program],
      environment: {
        ...subject.environment,
        CNI_COMMAND: verb,
        CNI_CONTAINERID: pod.id,
        CNI_NETNS: pod.netns,
        CNI_IFNAME: ifname ?? "eth0",
        CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=bench;K8S_POD_NAME=${pod.id}`,
        CNI_PATH: plugin.program.slice(0, plugin.program.lastIndexOf("/")),
      },
      input: JSON.stringify({ ...common, ...plugin.config(pod), ...prevResult }),
    };
    if (ended.exit !== 0)
      throw new Error(`${subject.name}: ${verb} ${pod.id}: ${plugin.program}: ${ended.stdout || ended.stderr}`);
    if (verb === "ADD") previous = ended.stdout;
  }
  return previous;
}

/** `result` is what the ADD printed, for DEL. @throws Error when a plugin fails */
export function performSync(subject: Subject, verb: Verb, pod: Pod, result = ""): Timed {
  const startedMs = nowMs();
  const todo = commands(subject, verb, pod, result);
  let cpuUs = 0;
  let step = todo.next();
  while (!step.done) {
    const ended = runSync(step.value);
    cpuUs += ended.cpuUs;
    step = todo.next(ended);
  }
  return { tookMs: nowMs() - startedMs, cpuMs: cpuUs / 1_000, output: step.value };
}

/** The same beside others. @throws Error when a plugin fails */
export async function perform(subject: Subject, verb: Verb, pod: Pod, result = ""): Promise<Timed> {
  const startedMs = nowMs();
  const todo = commands(subject, verb, pod, result);
  let cpuUs = 0;
  let step = todo.next();
  while (!step.done) {
    const ended = await run(step.value);
    cpuUs += ended.cpuUs;
    step = todo.next(ended);
  }
  return { tookMs: nowMs() - startedMs, cpuMs: cpuUs / 1_000, output: step.value };
}

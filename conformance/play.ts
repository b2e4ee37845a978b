/** Plays a case: its steps one after another on a node, and afterwards nothing of it may remain. */
import { isDeepStrictEqual } from "node:util";
import type { Case, Step } from "./case.ts";
import { type Attached, facts, filled } from "./names.ts";
import { makeNamespace, removeNamespace } from "./namespace.ts";
import type { Node } from "./node.ts";
import { eventually, inside, must, stop } from "./program.ts";
import { remains } from "./remains.ts";
import { type Outcome, type Request, type Runtime, runtime } from "./runtime.ts";
import { shapeProblems } from "./shape.ts";
import { isObject, type Json, type JsonObject, overlay, type Subject, type Version } from "./subject.ts";
import { ask, ping, serve } from "./traffic.ts";

export interface Stage {
  readonly node: Node;
  readonly subject: Subject;
}

/** Container ids differ between runs, as they do for every runtime. */
let plays = 0;

/** @throws Error that names the step, when one does not hold or something remains */
export async function play(one: Case, version: Version, { node, subject }: Stage): Promise<void> {
  await subject.prepare?.();
  const before = await remains(node.node.namespace);
  await using scene = makeScene({ one, version, node, subject, runtime: runtime(subject, node.node.namespace) });
  for (const [at, step] of one.steps.entries()) {
    const known = filled(step, scene.places());
    await scene.take(known).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`step ${at + 1} ${JSON.stringify(known)}: ${why}`, { cause });
    });
  }
  await scene.empty();
  await subject.tidy?.();
  await eventually("everything of the case is gone", async () => {
    const left = (await remains(node.node.namespace)).filter((line) => !before.includes(line));
    if (left.length > 0) throw new Error(`left behind: ${left.join("; ")}`);
    return true;
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${error.cause instanceof Error ? error.cause.message : error.cause}`);
  });
}

interface Scenery {
  readonly node: Node;
  readonly one: Case;
  readonly version: Version;
  readonly subject: Subject;
  readonly runtime: Runtime;
}

function makeScene({ one, version, node, subject, runtime }: Scenery) {
  const prefix = `k${process.pid}x${++plays}`;
  const attached = new Map<string, Attached & { readonly request: Request }>();
  const namespaces = new Map<string, string>();
  const servers: Awaited<ReturnType<typeof serve>>[] = [];

  const place = (name: string): string => {
    if (name === "node") return node.node.namespace;
    if (name === "outside") return node.outside.namespace;
    const namespace = namespaces.get(name);
    if (namespace === undefined) throw new Error(`there is no container ${name}`);
    return namespace;
  };
  const house = async (namespace: string): Promise<void> => {
    await makeNamespace(namespace);
    await subject.house?.(namespace);
  };
  const housed = async (name: string): Promise<string> => {
    const known = namespaces.get(name);
    if (known !== undefined) return known;
    const namespace = `${prefix}-${name}`;
    await house(namespace);
    namespaces.set(name, namespace);
    return namespace;
  };
  const requestOf = (name: string, step: Asked): Request => ({
    version,
    network: step.network ?? "conformance",
    containerId: `${prefix}-${name}`,
    namespace: namespaces.get(name),
    ifname: step.ifname ?? "eth0",
    args: step.args ?? "",
    wish: overlay(one.config ?? {}, step.config ?? {}),
    capabilities: step.capabilities ?? {},
  });
  /** The attachment as it was made, with what the step says otherwise. */
  const recalled = (name: string, step: Asked): Attached & { readonly request: Request } => {
    const known = attached.get(key(name, step.ifname));
    const request = known?.request ?? requestOf(name, step);
    const wish = overlay(request.wish, step.config ?? {});
    return { result: known?.result, request: { ...request, wish } };
  };

  const take = async (step: Step): Promise<void> => {
    if ("add" in step) {
      namespaces.set(step.add, await housed(step.into ?? step.add));
      const request = requestOf(step.add, step);
      const outcome = await runtime.add(request);
      const before = attached.get(key(step.add, step.ifname));
      // A second ADD that fails changes nothing of the first.
      if (before === undefined || "result" in outcome)
        attached.set(key(step.add, step.ifname), { request, result: "result" in outcome ? outcome.result : undefined });
      judge(outcome, step.fails);
      if ("result" in outcome) shaped(outcome.result, request);
    } else if ("check" in step) {
      const { request, result } = recalled(step.check, step);
      judge(await runtime.check(request, result), step.fails);
    } else if ("del" in step) {
      const { request, result } = recalled(step.del, step);
      const namespace = { gone: `${prefix}-nowhere`, unset: undefined, none: request.namespace }[step.netns ?? "none"];
      // Results are handed to DEL since 0.4.0.
      const handed = step.prevResult !== false && version >= "0.4.0" ? result : undefined;
      judge(await runtime.del({ ...request, namespace }, handed), step.fails);
    } else if ("gc" in step) {
      const pairs = step.gc === "absent" ? undefined : step.gc;
      const valid = pairs?.map(([name, ifname]) => ({ containerID: `${prefix}-${name}`, ifname })) ?? pairs;
      judge(await runtime.gc(requestOf("node", step), valid), step.fails);
    } else if ("status" in step) judge(await runtime.status(requestOf("node", step)), step.fails);
    else if ("leave" in step) await removeNamespace(place(step.leave));
    else if ("renew" in step) await house(place(step.renew));
    else if ("run" in step) await must(inside(place(step.in), step.run));
    else if ("see" in step) await see(place(step.in), step);
    else if ("ping" in step) {
      const withinS = step.fails ? 1 : 5;
      const answered = await ping(place(step.from), { to: step.ping, source: step.source, withinS });
      if (answered === (step.fails === true)) throw new Error(answered ? "was answered" : "was not answered");
    } else if ("serve" in step)
      servers.push(await serve(place(step.serve), step.protocol ?? "tcp", step.port, step.serve));
    else await question(place(step.from), step);
  };

  return {
    take,
    places: () => facts(node, namespaces, attached, prefix),
    /** DEL of everything, as a runtime does when a pod goes. */
    async empty() {
      for (const { request, result } of [...attached.values()].toReversed()) {
        const outcome = await runtime.del(request, version >= "0.4.0" ? result : undefined);
        if ("error" in outcome) throw new Error(`the last DEL: ${JSON.stringify(outcome.error)}`);
      }
      attached.clear();
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) await stop(server, 0);
      for (const { request, result } of attached.values()) await runtime.del(request, result).catch(() => {});
      for (const namespace of new Set(namespaces.values())) await removeNamespace(namespace);
    },
  };
}

/** What steps that go through the runtime can say. */
interface Asked {
  readonly ifname?: string;
  readonly network?: string;
  readonly config?: JsonObject;
  readonly args?: string;
  readonly capabilities?: JsonObject;
}

const key = (name: string, ifname = "eth0") => `${name}/${ifname}`;

function judge(outcome: Outcome, fails: number | true | undefined): void {
  const error = "error" in outcome ? outcome.error : undefined;
  if (fails === undefined && error) throw new Error(`failed: ${JSON.stringify(error)}`);
  if (fails !== undefined && error === undefined) throw new Error("succeeded");
  if (typeof fails === "number" && error?.code !== fails) throw new Error(`answered ${JSON.stringify(error)}`);
}

function shaped(result: JsonObject | undefined, { version, ifname, namespace = "" }: Request): void {
  if (result === undefined) throw new Error("printed nothing");
  const problems = shapeProblems(result, { version: version as Version, ifname, netns: `/run/netns/${namespace}` });
  if (problems.length > 0) throw new Error(`${problems.join("; ")}: ${JSON.stringify(result)}`);
}

/** Asked again: a link that DEL has taken off the network may be deleted a moment later. */
async function see(namespace: string, step: Extract<Step, { see: unknown }>): Promise<void> {
  let said = "";
  const agreed = async () => {
    const printed = await must(inside(namespace, step.see));
    const found: Json = printed.trim() === "" ? [] : JSON.parse(printed);
    said = printed.slice(0, 1_500);
    return ((!step.has || holds(found, step.has)) && !(step.lacks && holds(found, step.lacks))) || undefined;
  };
  await eventually("what is there agrees", agreed).catch((cause: unknown) => {
    throw new Error(`there is ${said}`, { cause });
  });
}

/** Whether `found`, or anything in it, has all of `wanted`. */
function holds(found: Json, wanted: JsonObject): boolean {
  const parts = Array.isArray(found) ? found : isObject(found) ? Object.values(found) : [];
  if (isObject(found) && Object.entries(wanted).every(([name, value]) => agrees(found[name], value))) return true;
  return parts.some((part) => holds(part, wanted));
}

function agrees(found: Json | undefined, wanted: Json): boolean {
  if (isObject(wanted)) return found !== undefined && holds([found], wanted);
  // Lists in what `ip` prints are sets of flags: having them is enough.
  if (Array.isArray(wanted) && Array.isArray(found)) return wanted.every((item) => found.includes(item));
  return isDeepStrictEqual(found, wanted);
}

async function question(from: string, step: Extract<Step, { ask: unknown }>): Promise<void> {
  const { protocol = "tcp", bytes = 5, fails, takesMs } = step;
  const deadlineMs = fails ? 1_000 : (takesMs?.[1] ?? 5_000) + 1_000;
  const ran = await ask({ from, to: step.ask, port: step.port, protocol, bytes, deadlineMs });
  const answer = ran.stdout.trim();
  if (fails) {
    if (answer !== "") throw new Error(`was answered: ${answer}`);
    return;
  }
  const [who, seen, count] = answer.split(" ");
  if (who === undefined || who === "") throw new Error(`was not answered: ${ran.stderr.trim().split("\n").at(-1)}`);
  if (step.answers !== undefined && who !== step.answers) throw new Error(`${who} answered`);
  if (step.seenAs !== undefined && seen !== step.seenAs) throw new Error(`it was seen as ${seen}`);
  if (Number(count) !== bytes) throw new Error(`${count} of ${bytes} bytes came`);
  if (takesMs && (ran.tookMs < takesMs[0] || ran.tookMs > takesMs[1]))
    throw new Error(`it took ${Math.round(ran.tookMs)} ms`);
}

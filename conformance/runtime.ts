/**
 * A container runtime in miniature, as libcni is one: it runs a chain of plugins, hands results on, passes what
 * capabilities allow, and remembers what it attached so that CHECK and DEL are given the same again.
 */
import { pathOf } from "./namespace.ts";
import { type Answer, call, programOf } from "./plugin.ts";
import { isObject, type Json, type JsonObject, type Subject } from "./subject.ts";

export interface Request {
  readonly version: string;
  readonly network: string;
  readonly containerId: string;
  /** Namespace by name; undefined leaves CNI_NETNS out. */
  readonly namespace: string | undefined;
  readonly ifname: string;
  readonly args: string;
  /** Laid over the subject's configuration. */
  readonly wish: JsonObject;
  /** What the runtime would pass; each key only to plugins that declare it. */
  readonly capabilities: JsonObject;
  readonly prevResult?: JsonObject;
}

export type Outcome = { readonly result: JsonObject | undefined } | { readonly error: JsonObject };

type Verb = "ADD" | "DEL" | "CHECK" | "GC" | "STATUS";

/** @param namespace that the plugins run in */
export function runtime(subject: Subject, namespace: string) {
  const ask = (verb: Verb, plugin: JsonObject, request: Request, extra: JsonObject): Promise<Answer> => {
    const { capabilities = {}, ...config } = plugin;
    const declared = isObject(capabilities) ? capabilities : {};
    const passed = Object.entries(request.capabilities).filter(([key]) => declared[key] === true);
    const input = {
      ...config,
      capabilities,
      cniVersion: request.version,
      name: request.network,
      ...(passed.length > 0 && { runtimeConfig: Object.fromEntries(passed) }),
      ...extra,
    };
    const about = verb !== "GC" && verb !== "STATUS";
    return call({
      namespace,
      program: programOf(plugin.type, subject.path),
      environment: {
        ...subject.environment,
        CNI_COMMAND: verb,
        CNI_PATH: subject.path.join(":"),
        ...(about && { CNI_CONTAINERID: request.containerId, CNI_IFNAME: request.ifname, CNI_ARGS: request.args }),
        ...(about && request.namespace !== undefined && { CNI_NETNS: pathOf(request.namespace) }),
      },
      input: JSON.stringify(input),
    });
  };

  /** Runs one verb that answers with silence over `plugins`; the first error ends it. */
  const silently = async (verb: Verb, request: Request, plugins: readonly JsonObject[], extra: JsonObject) => {
    for (const plugin of plugins) {
      const answer = await ask(verb, plugin, request, extra);
      if (answer.exit !== 0) return { error: errorOf(answer) };
      if (answer.stdout !== "") throw new Error(`${verb} succeeded and printed ${answer.stdout}`);
    }
    return { result: undefined };
  };

  return {
    async add(request: Request): Promise<Outcome> {
      let result = request.prevResult;
      for (const plugin of subject.plugins(request.wish)) {
        const answer = await ask("ADD", plugin, request, result === undefined ? {} : { prevResult: result });
        if (answer.exit !== 0) return { error: errorOf(answer) };
        result = answer.body;
      }
      return { result };
    },
    check: (request: Request, prevResult: JsonObject | undefined): Promise<Outcome> =>
      silently("CHECK", request, subject.plugins(request.wish), prevResult ? { prevResult } : {}),
    del: (request: Request, prevResult: JsonObject | undefined): Promise<Outcome> =>
      silently("DEL", request, subject.plugins(request.wish).toReversed(), prevResult ? { prevResult } : {}),
    /** @param valid undefined leaves the list out */
    gc: (request: Request, valid: Json | undefined): Promise<Outcome> => {
      const lists = valid === undefined ? {} : { "cni.dev/valid-attachments": valid, "cni.dev/attachments": valid };
      return silently("GC", request, subject.plugins(request.wish), lists);
    },
    status: (request: Request): Promise<Outcome> => silently("STATUS", request, subject.plugins(request.wish), {}),
  };
}

export type Runtime = ReturnType<typeof runtime>;

function errorOf({ body, exit, stdout, stderr }: Answer): JsonObject {
  if (typeof body?.code === "number" && typeof body.msg === "string") return body;
  throw new Error(`exit ${exit} without an error object: ${stdout}${stderr}`);
}

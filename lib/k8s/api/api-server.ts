/** Kubernetes' objects as an API server tells of them. What was told stands while the server is away. */
import { setTimeout as sleep } from "node:timers/promises";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { Listener, ObjectName, ObjectSource } from "../objects.ts";
import type { ReadAccess } from "./access.ts";
import { annotate } from "./annotate.ts";
import { type Ask, asking } from "./ask.ts";
import { wholeJson } from "./body.ts";
import { PATIENCE, type Patience, type Reflection, reflection, type Told } from "./reflection.ts";
import { CONFIGURED, DEFINITIONS, NAMESPACES, PODS, RESOURCES, type Resource, withKind } from "./resource.ts";
import { say } from "./say.ts";
import { warn } from "./warn.ts";

export interface ApiServerOptions {
  readonly access: ReadAccess;
  /** What the server's audit log calls the daemon: `selvedged/1.0.0`. */
  readonly userAgent: string;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** NetworkAttachmentDefinitions are told of, too. */
  readonly definitions?: boolean;
  /** So are parts of the configuration. */
  readonly configured?: boolean;
  readonly patience?: Patience;
}

const UNTOLD = "The API server has not told of it yet; the runtime's next try may find it.";
/** What failures of the server as a whole are told under. */
const SERVER = "API server";
const FORBIDDEN = ["forbidden"] as const;
/** One object is asked for within an ADD. */
const OBJECT_MS = 5_000;
/** A namespace is waited for within an ADD, and looked for so often. */
const NAMESPACE_MS = 2_000;
const LOOK_MS = 20;
/** More than etcd takes for an object (1.5 MiB), as JSON. */
const MOST_OBJECT_BYTES = 8 * 1024 * 1024;

export function apiServer({
  access,
  userAgent,
  random,
  definitions = false,
  configured = false,
  patience = PATIENCE,
}: ApiServerOptions): ObjectSource {
  let ask: Ask | undefined;
  const reflections = new Map<Resource, Reflection>();
  /** The server has answered: whoever has lost it tries again now. */
  let answered = (): void => {};
  const known = (resource: Resource, { namespace, name }: ObjectName): string | undefined =>
    reflections.get(resource)?.uid(`${namespace}/${name}`);
  /** Tells of it now. @throws SelvedgeError not-ready, which begins with `what` is not known */
  const offerOne = async (resource: Resource, of: ObjectName, what: string): Promise<void> => {
    const followed = reflections.get(resource);
    if (ask === undefined || followed === undefined) return;
    try {
      const object = await objectOf(ask, resource, of);
      answered();
      if (object !== undefined) followed.offer(object);
    } catch (error) {
      if (!isFailure(error, "not-ready", "config-invalid")) throw error;
      throw new SelvedgeError({ kind: "not-ready" }, `${what} not known: ${error.message}`, {
        hint: error.hint ?? UNTOLD,
        cause: error,
      });
    }
  };
  /** Pods and namespaces are followed apart, and policies mean pods by the labels of theirs. @throws SelvedgeError not-ready */
  const knowNamespace = async (name: string): Promise<void> => {
    const followed = reflections.get(NAMESPACES);
    for (let waitedMs = 0; followed?.uid(name) === undefined; waitedMs += LOOK_MS) {
      if (waitedMs >= NAMESPACE_MS)
        throw new SelvedgeError({ kind: "not-ready" }, `the labels of namespace ${name} are not known`, {
          hint: UNTOLD,
        });
      await sleep(LOOK_MS);
    }
  };
  return {
    async follow(listener, signal) {
      const asked = asking(access, userAgent);
      const resources = [...RESOURCES, ...(definitions ? [DEFINITIONS] : []), ...(configured ? CONFIGURED : [])];
      const all = together(listener, resources, (resource) => reflections.get(resource)?.hurry());
      for (const resource of resources)
        reflections.set(
          resource,
          reflection(resource, { ask: asked, told: all.told(resource), signal, random, patience }),
        );
      ask = asked;
      answered = all.answered;
      const followed = [...reflections.values()];
      await Promise.all(followed.map((each) => each.first));
      const done = Promise.all(followed.map((each) => each.done)).then(() => asked[Symbol.dispose]());
      return { done };
    },
    async knowPod(pod) {
      const uid = known(PODS, pod);
      if (uid === undefined || (pod.uid ?? uid) !== uid)
        await offerOne(PODS, pod, `the labels of pod ${pod.namespace}/${pod.name} are`);
      if (known(PODS, pod) !== undefined) await knowNamespace(pod.namespace);
    },
    uidOf: (pod) => known(PODS, pod),
    async knowDefinition(of) {
      if (known(DEFINITIONS, of) === undefined)
        await offerOne(DEFINITIONS, of, `NetworkAttachmentDefinition ${of.namespace}/${of.name} is`);
    },
    async annotate(pod, annotations) {
      if (ask !== undefined) return annotate(ask, pod, annotations);
      throw unasked();
    },
    async say(of, conditions, more) {
      if (ask !== undefined) return say(ask, of, conditions, more);
      throw unasked();
    },
    async warn(warning) {
      if (ask !== undefined) return warn(ask, warning);
      throw unasked();
    },
  };
}

const unasked = (): SelvedgeError =>
  new SelvedgeError({ kind: "not-ready" }, "the API server has not been asked for anything yet");

/** Undefined for one that the server does not know: a pod of the node's own files, or of no kubelet. @throws SelvedgeError not-ready */
async function objectOf(ask: Ask, resource: Resource, { namespace, name }: ObjectName): Promise<object | undefined> {
  const [at, of] = [namespace, name].map(encodeURIComponent);
  const [, group, plural] = /^(.*)\/([^/]+)$/.exec(resource.path) ?? [];
  const answer = await ask({
    path: `${group}/namespaces/${at}/${plural}/${of}`,
    signal: AbortSignal.timeout(OBJECT_MS),
  });
  if ("stream" in answer) return withKind(resource, (await wholeJson(answer, MOST_OBJECT_BYTES)) as object);
  if (answer.status === 404) return undefined;
  throw new SelvedgeError({ kind: "not-ready" }, `may not get ${plural}: ${answer.status} ${answer.message}`);
}

/**
 * Several resources as one source: all there is was told when each was that policies are made of; the others hold up
 * nobody. The server is lost once for all of them.
 */
function together(
  listener: Listener,
  resources: readonly Resource[],
  hurry: (resource: Resource) => void,
): { told(resource: Resource): Told; answered(): void } {
  const untold = new Set(resources);
  /** Those that did not reach the server, and what was told of that. */
  const losers = new Set<Resource>();
  const messages = new Set<string>();
  const answered = (): void => {
    for (const loser of losers) hurry(loser);
  };

  const told = (resource: Resource): Told => {
    let refusal = "";
    return {
      put: (name, object) => listener.put(`${resource.plural}/${name}`, object),
      remove: (name) => listener.remove(`${resource.plural}/${name}`),
      allowed() {
        if (refusal !== "") listener.remove(resource.plural);
        refusal = "";
      },
      told() {
        untold.delete(resource);
        if (RESOURCES.some((each) => untold.has(each))) return;
        listener.told([...untold].map(({ plural }) => plural));
      },
      reached() {
        if (!losers.delete(resource)) return;
        answered();
        if (losers.size > 0) return;
        messages.clear();
        listener.remove(SERVER);
      },
      lost({ message, hint }) {
        losers.add(resource);
        const text = [message, hint].filter(Boolean).join(". ");
        if (!messages.has(text)) listener.failed(SERVER, text);
        messages.add(text);
      },
      refused(verb, { status, message }) {
        const text = `may not ${verb}: ${status} ${message}`;
        if (text !== refusal) listener.failed(resource.plural, text, ...(status === 403 ? FORBIDDEN : []));
        refusal = text;
      },
    };
  };
  return { told, answered };
}

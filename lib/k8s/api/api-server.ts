/** Kubernetes' objects as an API server tells of them. What was told stands while the server is away. */
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { Listener, ObjectSource, PodName } from "../objects.ts";
import type { ReadAccess } from "./access.ts";
import { type Ask, asking } from "./ask.ts";
import { wholeJson } from "./body.ts";
import { PATIENCE, type Patience, type Reflection, reflection, type Told } from "./reflection.ts";
import { PODS, RESOURCES, type Resource, withKind } from "./resource.ts";

export interface ApiServerOptions {
  readonly access: ReadAccess;
  /** What the server's audit log calls the daemon: `selvedged/1.0.0`. */
  readonly userAgent: string;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly patience?: Patience;
}

/** What failures of the server as a whole are told under. */
const SERVER = "API server";
/** A pod is asked for within an ADD. */
const POD_MS = 5_000;
/** More than etcd takes for an object (1.5 MiB), as JSON. */
const MOST_POD_BYTES = 8 * 1024 * 1024;

export function apiServer({ access, userAgent, random, patience = PATIENCE }: ApiServerOptions): ObjectSource {
  let ask: Ask | undefined;
  let pods: Reflection | undefined;
  return {
    async follow(listener, signal) {
      const asked = asking(access, userAgent);
      const reflections = new Map<Resource, Reflection>();
      const told = together(listener, RESOURCES, (resource) => reflections.get(resource)?.hurry());
      for (const resource of RESOURCES)
        reflections.set(resource, reflection(resource, { ask: asked, told: told(resource), signal, random, patience }));
      ask = asked;
      pods = reflections.get(PODS);
      const all = [...reflections.values()];
      await Promise.all(all.map((each) => each.first));
      const done = Promise.all(all.map((each) => each.done)).then(() => asked[Symbol.dispose]());
      return { done };
    },
    async knowPod(pod) {
      const uid = pods?.uid(`${pod.namespace}/${pod.name}`);
      if (ask === undefined || pods === undefined || (uid !== undefined && (pod.uid ?? uid) === uid)) return;
      try {
        const object = await podOf(ask, pod);
        if (object !== undefined) pods.offer(object);
      } catch (error) {
        if (!isFailure(error, "not-ready", "config-invalid")) throw error;
        const message = `the labels of pod ${pod.namespace}/${pod.name} are not known: ${error.message}`;
        throw new SelvedgeError({ kind: "not-ready" }, message, {
          hint: error.hint ?? "The API server has not told of the pod yet; the runtime's next try may find it.",
          cause: error,
        });
      }
    },
  };
}

/** Undefined for one that the server does not know: of the node's own files, or of no kubelet. @throws SelvedgeError not-ready */
async function podOf(ask: Ask, { namespace, name }: PodName): Promise<object | undefined> {
  const [at, of] = [namespace, name].map(encodeURIComponent);
  const answer = await ask({ path: `/api/v1/namespaces/${at}/pods/${of}`, signal: AbortSignal.timeout(POD_MS) });
  if ("stream" in answer) return withKind(PODS, (await wholeJson(answer, MOST_POD_BYTES)) as object);
  if (answer.status === 404) return undefined;
  throw new SelvedgeError({ kind: "not-ready" }, `may not get pods: ${answer.status} ${answer.message}`);
}

/** Several resources as one source: all there is was told when each was; the server is lost once for all of them. */
function together(
  listener: Listener,
  resources: readonly Resource[],
  hurry: (resource: Resource) => void,
): (resource: Resource) => Told {
  const untold = new Set(resources);
  /** Those that did not reach the server, and what was told of that. */
  const losers = new Set<Resource>();
  const messages = new Set<string>();

  return (resource) => {
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
        if (untold.size === 0) listener.told();
      },
      reached() {
        if (!losers.delete(resource)) return;
        for (const other of losers) hurry(other);
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
        if (text !== refusal) listener.failed(resource.plural, text);
        refusal = text;
      },
    };
  };
}

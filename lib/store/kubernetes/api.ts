/** Objects of an API server got, listed and changed one at a time, each within seconds. */
import { SelvedgeError } from "#lib/errors.ts";
import type { Answer, Ask, Change, Refused } from "#lib/k8s/api/ask.ts";
import { wholeJson } from "#lib/k8s/api/body.ts";
import { headOf } from "#lib/k8s/api/head.ts";
import { listAll } from "#lib/k8s/api/list.ts";
import type { Resource } from "#lib/k8s/api/resource.ts";
import type { ApiObject } from "./object.ts";
import { refusal, unanswered } from "./refusal.ts";

/** All of it throws `SelvedgeError store`; after a change that did, whether it was done is not known. */
export interface Api {
  get(resource: Resource, name: string): Promise<ApiObject | undefined>;
  /** All that there are, of one moment; `version` is where what follows begins. */
  list(resource: Resource, options?: ListOptions): Promise<{ readonly items: ApiObject[]; readonly version: string }>;
  /** As it is then; undefined when there is one of that name already. */
  create(resource: Resource, object: ApiObject): Promise<ApiObject | undefined>;
  /** As it is then; undefined when it is not of `resourceVersion` any more. */
  replace(resource: Resource, object: ApiObject): Promise<ApiObject | undefined>;
  /** As it is then; undefined when there is none. */
  merge(resource: Resource, name: string, part: object): Promise<ApiObject | undefined>;
  /** @param version only that one. @returns `other` when it is not of that version */
  remove(resource: Resource, name: string, version?: string): Promise<"removed" | "other" | "gone">;
}

export interface ListOptions {
  readonly signal?: AbortSignal;
  /** Label selector: which of them. */
  readonly labelled?: string;
}

/** One request, with its answer. */
const REQUEST_MS = 5_000;
/** All pages of a list. */
const LIST_MS = 30_000;
/** More than etcd takes for an object (1.5 MiB), as JSON. */
const MOST_BYTES = 8 * 1024 * 1024;

export function api(ask: Ask, closing: AbortSignal): Api {
  const at = ({ path }: Resource, name: string): string => `${path}/${encodeURIComponent(name)}`;
  const limited = (ms: number, ...more: readonly AbortSignal[]): AbortSignal =>
    AbortSignal.any([closing, ...more, AbortSignal.timeout(ms)]);

  async function request(path: string, change?: Change): Promise<Answer> {
    if (closing.aborted) throw new SelvedgeError({ kind: "store" }, "API server: this client is closed");
    try {
      return await ask({ path, signal: limited(REQUEST_MS), ...(change === undefined ? {} : { change }) });
    } catch (error) {
      throw unanswered(error);
    }
  }

  async function whole(answer: Exclude<Answer, Refused>): Promise<ApiObject> {
    try {
      const object = await wholeJson(answer, MOST_BYTES);
      headOf(object);
      return object as ApiObject;
    } catch (error) {
      throw unanswered(error);
    }
  }

  return {
    async get(resource, name) {
      const answer = await request(at(resource, name));
      if ("stream" in answer) return await whole(answer);
      // Of a kind that is not defined no object is told of.
      if (answer.status === 404 && answer.about === name) return undefined;
      throw refusal("get", resource, answer);
    },
    async list(resource, { signal, ...which } = {}) {
      const items: ApiObject[] = [];
      const asked = limited(LIST_MS, ...(signal === undefined ? [] : [signal]));
      const take = (object: object): void => void items.push(object as ApiObject);
      try {
        const end = await listAll(ask, resource, { ...which, take, signal: asked });
        if ("version" in end) return { items, version: end.version };
        throw refusal("list", resource, end);
      } catch (error) {
        throw unanswered(error);
      }
    },
    async create(resource, object) {
      const answer = await request(resource.path, { method: "POST", body: object });
      if ("stream" in answer) return await whole(answer);
      if (answer.status === 409) return undefined;
      throw refusal("create", resource, answer);
    },
    async replace(resource, object) {
      const { name } = object.metadata;
      const answer = await request(at(resource, name), { method: "PUT", body: object });
      if ("stream" in answer) return await whole(answer);
      if (answer.status === 409 || (answer.status === 404 && answer.about === name)) return undefined;
      throw refusal("update", resource, answer);
    },
    async merge(resource, name, part) {
      const answer = await request(at(resource, name), { method: "PATCH", body: part });
      if ("stream" in answer) return await whole(answer);
      if (answer.status === 404 && answer.about === name) return undefined;
      throw refusal("patch", resource, answer);
    },
    async remove(resource, name, version) {
      const preconditions = version === undefined ? {} : { preconditions: { resourceVersion: version } };
      const body = { apiVersion: "v1", kind: "DeleteOptions", ...preconditions };
      const answer = await request(at(resource, name), { method: "DELETE", body });
      if ("stream" in answer) {
        // The object, or no more than that it is done.
        await wholeJson(answer, MOST_BYTES).catch((error: unknown) => {
          throw unanswered(error);
        });
        return "removed";
      }
      if (answer.status === 409) return "other";
      if (answer.status === 404 && answer.about === name) return "gone";
      throw refusal("delete", resource, answer);
    },
  };
}

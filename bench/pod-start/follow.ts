/** Pods as the API server tells of them. */
import { request } from "node:https";
import { createInterface } from "node:readline";
import type { ControlPlane } from "../../test/kubernetes/control-plane.ts";

export interface PodObject {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly phase?: string };
}

export interface Heard {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: PodObject;
}

/** From the beginning, until it is ended, however often the server ends a watch. @param broken when it can tell no more */
export function followPods(
  { url, ca, admin }: ControlPlane,
  namespace: string,
  hear: (heard: Heard) => void,
  broken: (why: unknown) => void,
): Disposable {
  let version = "0";
  let isOver = false;
  const headers = { authorization: `Bearer ${admin}` };
  const watch = () => {
    const path = `/api/v1/namespaces/${namespace}/pods?watch=true&resourceVersion=${version}`;
    const asking = request(`${url}${path}`, { ca, headers, agent: false });
    asking.once("response", (answer) => {
      const lines = createInterface(answer);
      lines.on("line", (line) => {
        const heard = JSON.parse(line) as Heard | { readonly type: "ERROR" };
        if (answer.statusCode !== 200 || heard.type === "ERROR") return broken(new Error(`${path}: ${line}`));
        version = heard.object.metadata.resourceVersion;
        hear(heard);
      });
      // That it was cut off is told by `close` as well.
      lines.once("error", () => {});
    });
    asking.once("error", () => {});
    asking.once("close", () => {
      if (!isOver) setTimeout(begin, AGAIN_MS);
    });
    asking.end();
    return asking;
  };
  let current = watch();
  const begin = (): void => {
    if (!isOver) current = watch();
  };
  return {
    [Symbol.dispose]() {
      isOver = true;
      current.destroy();
    },
  };
}

const AGAIN_MS = 100;

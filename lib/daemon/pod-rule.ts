/** Whether a rule of the configuration means the pod of a request. */
import type { NetConf } from "#lib/cni/types.ts";
import { matches } from "#lib/pattern.ts";

/** Everything that it names must hold; what it leaves out holds. */
export interface PodRule {
  /** With `*` for any letters, as `pod` has it. */
  readonly namespace?: string;
  readonly pod?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function meansPod({ namespace, pod, labels = {}, annotations = {} }: PodRule, conf: NetConf): boolean {
  const [ofNamespace = "", ofName = ""] = (conf.pod ?? "").split("/");
  const { podLabels, podAnnotations } = conf.wishes;
  return (
    (namespace === undefined || matches(namespace, ofNamespace)) &&
    (pod === undefined || matches(pod, ofName)) &&
    Object.entries(labels).every(([key, value]) => podLabels[key] === value) &&
    Object.entries(annotations).every(([key, value]) => podAnnotations[key] === value)
  );
}

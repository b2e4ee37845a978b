/** What Kubernetes says of pods besides policies, and is told of them. Absent where no source of objects is configured. */
import { type Definition, definitionName } from "#lib/cni/network-definition.ts";
import { NETWORKS_ANNOTATION } from "#lib/cni/network-selection.ts";
import { NETWORK_STATUS_ANNOTATION } from "#lib/cni/network-status.ts";
import type { Config } from "#lib/config/config.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Listener, ObjectName, ObjectSource, PodName } from "#lib/k8s/objects.ts";
import type { Core } from "../core.ts";
import { configuredOnly } from "./configured-only.ts";
import { type Annotations, hearing } from "./heard.ts";
import { type StatusWriter, statusWriter } from "./status-writer.ts";

export interface Kubernetes {
  /** The source, of which policies are told as well. */
  readonly source: ObjectSource;
  /**
   * Those that count, as far as Kubernetes knows the pod; asked for when nothing was told of it yet.
   * @throws SelvedgeError not-ready: it cannot be had now, or another pod has the name
   */
  annotationsOf(pod: PodName): Promise<Annotations>;
  /** @throws SelvedgeError not-ready: it cannot be had now */
  definition(of: ObjectName): Promise<Definition | undefined>;
  /** Absent: pods' network status is nobody's business. */
  readonly statuses?: StatusWriter;
}

/** Of a pod that kubelet has from a file: the uid that it goes by on its node, where the API server has given it another. */
const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

export function openKubernetes(core: Core): Kubernetes | undefined {
  const { objects, config, table } = core;
  if (objects === undefined) return undefined;
  const asked = annotationsIn(config);
  const isHere = (pod: string): boolean => [...table].some((record) => record.pod === pod);
  const heard = hearing({
    definitions: config.attachmentDefinitions,
    counts: (key, pod) =>
      asked.has(key) ||
      /(^|\.)selvedge\.dev\//.test(key) ||
      (config.attachmentDefinitions && key === NETWORK_STATUS_ANNOTATION && isHere(pod)),
  });
  const uidOf = ({ namespace, name, uid }: PodName): string | undefined =>
    heard.annotations(`${namespace}/${name}`)?.[MIRROR_ANNOTATION] === uid ? undefined : uid;
  const write = objects.annotate?.bind(objects);
  return {
    source: {
      ...objects,
      follow(listener, signal) {
        const others = both(heard.listener, listener);
        const configured = core.resources && configuredOnly(core.resources.listener, core.resources.keeps);
        return objects.follow(configured === undefined ? others : both(configured, others), signal);
      },
    },
    async annotationsOf(pod) {
      await objects.knowPod?.(pod);
      refuseAnother(pod, uidOf(pod), objects.uidOf?.(pod));
      const {
        [MIRROR_ANNOTATION]: _,
        [NETWORK_STATUS_ANNOTATION]: __,
        ...heeded
      } = heard.annotations(`${pod.namespace}/${pod.name}`) ?? {};
      return heeded;
    },
    async definition(of) {
      const known = () => heard.definition(definitionName(of));
      if (known() === undefined) await objects.knowDefinition?.(of);
      return known();
    },
    ...(write === undefined || !config.attachmentDefinitions
      ? {}
      : {
          statuses: statusWriter(core, {
            standing: (pod) => heard.annotations(pod)?.[NETWORK_STATUS_ANNOTATION],
            write: ({ namespace, name, ...pod }, text) => {
              const uid = uidOf({ namespace, name, ...pod });
              const named = { namespace, name, ...(uid === undefined ? {} : { uid }) };
              return write(named, { [NETWORK_STATUS_ANNOTATION]: text });
            },
          }),
        }),
  };
}

/** Annotations that the configuration speaks of, besides those that are Selvedge's own. */
function annotationsIn({ poolRules, planeRules, cluster, attachmentDefinitions }: Config): Set<string> {
  const rules = [...poolRules, ...planeRules, ...(cluster?.egress ?? []).flatMap(({ pods }) => pods)];
  return new Set([
    MIRROR_ANNOTATION,
    ...(attachmentDefinitions ? [NETWORKS_ANNOTATION] : []),
    ...rules.flatMap(({ annotations = {} }) => Object.keys(annotations)),
  ]);
}

function refuseAnother({ namespace, name }: PodName, asked: string | undefined, known: string | undefined): void {
  if (asked === undefined || known === undefined || asked === known) return;
  throw new SelvedgeError(
    { kind: "not-ready" },
    `pod ${namespace}/${name} was replaced: the runtime attaches the one of uid ${asked}, Kubernetes knows ${known}`,
    { hint: "kubelet removes what is left of the old one; the new one is attached by itself." },
  );
}

const both = (one: Listener, other: Listener): Listener => ({
  put(name, object) {
    one.put(name, object);
    other.put(name, object);
  },
  remove(name) {
    one.remove(name);
    other.remove(name);
  },
  told(lacking) {
    one.told(lacking);
    other.told(lacking);
  },
  failed(...what) {
    one.failed(...what);
    other.failed(...what);
  },
});

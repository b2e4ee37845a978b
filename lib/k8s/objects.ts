/**
 * Where Kubernetes' objects come from: a directory of manifests, or an API server that is watched. Whoever listens is told
 * of everything there is, then of changes.
 */
export interface Listener {
  /** Under a name of the source's own; told again when it is another. */
  put(name: string, object: unknown): void;
  /** It is gone; or, after `failed` of that name, what failed is over. */
  remove(name: string): void;
  /**
   * What was told so far belongs together; the first time: it is all there is of policies and what they speak of.
   * @param lacking names of what else is followed and was not told as a whole yet: `addresspools.selvedge.dev`
   */
  told(lacking?: readonly string[]): void;
  /** Something cannot be had now, for want of a right where it is forbidden; what was told of it stands. */
  failed(name: string, message: string, why?: "forbidden"): void;
}

/** A pod as a runtime names it. */
export interface PodName {
  readonly namespace: string;
  readonly name: string;
  /** Absent where the runtime does not say. */
  readonly uid?: string;
}

/** Of an object that is in a namespace. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** A part of the configuration. */
export interface Configured {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** Counts the changes of what is wanted. */
  readonly generation: number;
}

/** meta/v1 Condition, as far as who says it matters to nobody. */
export interface Said {
  readonly type: string;
  readonly status: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** Names what is wrong where a status is not taken of one object. */
export const STATUS_FIELD = "status";

/** Something is wrong with an object. */
export interface Warning {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** What of it went wrong: one word. */
  readonly action: "Accept" | "Follow";
  /** One word. */
  readonly reason: string;
  readonly message: string;
  /** Which node says so. */
  readonly by: string;
  readonly atMs: number;
}

export interface ObjectSource {
  /** Resolves when everything there is was told, or could not be; goes on until the signal. */
  follow(listener: Listener, signal: AbortSignal): Promise<{ readonly done: Promise<void> }>;
  /**
   * Where a runtime may hear of a pod before whoever listens does: tells of it now, unless it did, and waits until its
   * namespace is told of.
   * @throws SelvedgeError not-ready: it cannot be had now
   */
  knowPod?(pod: PodName): Promise<void>;
  /** Of the pod of that name; undefined where none is known. */
  uidOf?(pod: ObjectName): string | undefined;
  /** The same of a NetworkAttachmentDefinition. @throws SelvedgeError not-ready */
  knowDefinition?(of: ObjectName): Promise<void>;
  /**
   * Gives a pod annotations; its others stay. `uid`: none but that pod of the name.
   * @returns whether it is there
   * @throws SelvedgeError not-ready: it cannot be done now, or may not
   */
  annotate?(pod: PodName, annotations: Readonly<Record<string, string>>): Promise<boolean>;
  /**
   * Says of a part of the configuration, and of none of its name that came later, what became of it.
   * @param more of its status
   * @returns whether it is there
   * @throws SelvedgeError not-ready: it cannot be said now, or may not; config-invalid, `STATUS_FIELD`: it is not taken of this one
   */
  say?(of: Configured, conditions: readonly Said[], more?: object): Promise<boolean>;
  /** The same for people who look at events, once. @throws SelvedgeError not-ready: it cannot be said now, or may not */
  warn?(warning: Warning): Promise<void>;
}

/** What a run finds out: one value, which is written as JSON and printed as tables. */
import type { Memory, Span } from "./daemon.ts";
import type { Machine } from "./machine.ts";
import type { Shape } from "./sample.ts";
import type { Summary } from "./statistics.ts";
import type { SubjectName } from "./subjects.ts";

/** Whole processes, milliseconds, one at a time. */
export interface Alone {
  readonly subject: SubjectName;
  readonly add: Summary;
  readonly del: Summary;
  /** Of the plugins and what they run, not of the daemon; means. */
  readonly addCpuMs: number;
  readonly delCpuMs: number;
}

/** What the daemon says of its part of an ADD. */
export interface Inside {
  readonly subject: SubjectName;
  /** From the request's arrival to the last step's end, microseconds. */
  readonly whole: Summary;
  /** Medians, in order. */
  readonly steps: readonly Span[];
  /** The step that touches the kernel, microseconds. */
  readonly kernel: Summary;
}

/** Microseconds, without daemon and plugin. */
export interface Floor {
  readonly shape: Shape;
  /** The same messages, sent as they are. */
  readonly raw: Summary;
  readonly datagrams: number;
  /** `kernel.apply` in a process of its own. */
  readonly apply: Summary;
}

/** Many pods, so many at once. */
export interface Storm {
  readonly subject: SubjectName;
  readonly pods: number;
  readonly atOnce: number;
  readonly addsPerSecond: number;
  readonly delsPerSecond: number;
  /** Single ADDs, milliseconds. */
  readonly add: Summary;
  readonly failures: number;
  /** Means for one ADD. */
  readonly pluginCpuMs: number;
  /** Absent for the reference, which has no daemon. */
  readonly daemonCpuMs?: number;
}

/** ADD and DEL while so many other pods are attached. */
export interface Growth {
  readonly pods: number;
  readonly add: Summary;
  readonly del: Summary;
  /** The daemon's part of the ADD, microseconds. */
  readonly inside: Summary;
}

/** ADD while addresses are reserved for so many names. */
export interface Reserved {
  readonly reserved: number;
  /** Whether one of them is the pod's. */
  readonly own: boolean;
  readonly add: Summary;
  /** The daemon's part of the ADD, microseconds. */
  readonly inside: Summary;
}

export interface Measured {
  readonly machine: Machine;
  /** Milliseconds: starting /bin/true, `selvedge` answering VERSION without the daemon, and STATUS with it. */
  readonly start: { readonly nothing: Summary; readonly version: Summary; readonly status: Summary };
  readonly alone: readonly Alone[];
  readonly inside: readonly Inside[];
  readonly floor: readonly Floor[];
  readonly storms: readonly Storm[];
  readonly growth: readonly Growth[];
  readonly reservations: readonly Reserved[];
  readonly memory: { readonly empty: Memory; readonly attachments: number; readonly full: Memory };
}

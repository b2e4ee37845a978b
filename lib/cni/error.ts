/** Failures as the CNI specification 1.1.0, section "Error", has them: 0-99 are the specification's, 100 and up are ours. */
import { type Failure, type FailureKind, isFailure } from "#lib/errors.ts";
import { type CniError, NEWEST, type Verb } from "./types.ts";

/** SPEC "Error"; 8 and 999 are the reference library's (pkg/types). */
const CODE = {
  "version-unsupported": 1,
  "unsupported-field": 2,
  "environment-invalid": 4,
  decode: 6,
  "config-invalid": 7,
  "own-namespace": 8,
  "pool-exhausted": 11,
  "not-ready": 11,
  deadline: 11,
  "namespace-gone": 100,
  "interface-exists": 101,
  "address-unavailable": 102,
  kernel: 103,
  store: 104,
  drift: 105,
  conflict: 106,
  rpc: 107,
  delegate: 108,
  router: 109,
  speaker: 110,
  "result-invalid": 999,
} as const satisfies Record<FailureKind, number>;

/** Anything that is not a failure of ours: a bug, which the caller still hears of in the protocol's words. */
export const INTERNAL = 999;

/** The daemon cannot write its state. */
export const STORE = CODE.store;

/** The plugin of a node that cannot take an ADD now answers STATUS with this. */
const NOT_AVAILABLE = 50;

/** The code of a failure; what is temporary for other verbs means "not available" to STATUS. */
export function toCni(failure: Failure, verb: Verb = "ADD"): number {
  if (failure.kind === "delegate") return failure.code > 0 ? failure.code : CODE.delegate;
  const code = CODE[failure.kind];
  return verb === "STATUS" && code === 11 ? NOT_AVAILABLE : code;
}

/** Any thrown value as an error object. A stack is never shown: it belongs in the daemon's log. */
export function toCniError(error: unknown, verb: Verb = "ADD"): CniError {
  if (isFailure(error))
    return { code: toCni(error.failure, verb), msg: error.message, details: error.hint ?? detailsOf(error.failure) };
  return {
    code: INTERNAL,
    msg: `internal error: ${error instanceof Error ? error.message : String(error)}`,
    details: "",
  };
}

/** The error object as printed on standard output. `cniVersion` is the newest when the configuration's is not known. */
export function errorText(error: CniError, cniVersion: string = NEWEST): string {
  const { code, msg, details } = error;
  return JSON.stringify(details === "" ? { cniVersion, code, msg } : { cniVersion, code, msg, details }, null, 4);
}

const detailsOf = (failure: Failure): string => (failure.kind === "drift" ? failure.lines.join("\n") : "");

/** How a failure of an Admin call looks in gRPC. Node calls carry CNI errors in their reply instead. */
import { status } from "@grpc/grpc-js";
import type { FailureKind } from "#lib/errors.ts";

export const GRPC_STATUS = {
  "config-invalid": status.INVALID_ARGUMENT,
  "unsupported-field": status.INVALID_ARGUMENT,
  "environment-invalid": status.INVALID_ARGUMENT,
  "version-unsupported": status.INVALID_ARGUMENT,
  decode: status.INVALID_ARGUMENT,
  "own-namespace": status.FAILED_PRECONDITION,
  "namespace-gone": status.NOT_FOUND,
  "interface-exists": status.ALREADY_EXISTS,
  "pool-exhausted": status.RESOURCE_EXHAUSTED,
  "address-unavailable": status.FAILED_PRECONDITION,
  "not-ready": status.UNAVAILABLE,
  deadline: status.DEADLINE_EXCEEDED,
  delegate: status.INTERNAL,
  kernel: status.INTERNAL,
  store: status.INTERNAL,
  drift: status.FAILED_PRECONDITION,
  conflict: status.ALREADY_EXISTS,
  router: status.UNAVAILABLE,
  speaker: status.UNAVAILABLE,
  "result-invalid": status.INTERNAL,
  rpc: status.UNAVAILABLE,
} as const satisfies Record<FailureKind, status>;

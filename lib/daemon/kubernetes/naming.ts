/** What goes wrong with a network of a NetworkAttachmentDefinition says so. */
import { isFailure, SelvedgeError } from "#lib/errors.ts";

/** @param definition `namespace/name`; absent: the error is not about one */
export function naming(definition: string | undefined, error: unknown): unknown {
  if (definition === undefined || !isFailure(error)) return error;
  const { failure, message, hint } = error;
  return new SelvedgeError(failure, `NetworkAttachmentDefinition ${definition}: ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

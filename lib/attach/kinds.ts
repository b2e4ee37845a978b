/** The attachment types: one row for each. */
import { type Found, oneOf } from "#lib/parse.ts";
import { bridge } from "./bridge/bridge.ts";
import type { Attached, Built, Kind } from "./kind.ts";
import { ptp } from "./ptp/ptp.ts";

export const kinds = { ptp, bridge } as const;

export type AttachmentType = keyof typeof kinds;

export const ATTACHMENT_TYPES = Object.keys(kinds) as AttachmentType[];

export const DEFAULT_ATTACHMENT: AttachmentType = "ptp";

/** @throws SelvedgeError config-invalid: `attachment: "brigde" is not one of "ptp", "bridge"`. */
export const attachmentType = (found: Found): AttachmentType =>
  oneOf(found, ATTACHMENT_TYPES, { or: DEFAULT_ATTACHMENT });

/** A configuration that has been read: what is left is the attachment itself. */
export interface Plan {
  /** The attachment must not be given addresses. */
  readonly addressless: boolean;
  build(attached: Attached): Built;
}

/** Reads the fields of `type` from the network configuration. @throws SelvedgeError config-invalid, unsupported-field */
export function plan(type: AttachmentType, config: Found): Plan {
  // Each row is a Kind of its own spec; reading and building stay together, so that the specs never mix.
  switch (type) {
    case "ptp":
      return planned(ptp, config);
    case "bridge":
      return planned(bridge, config);
  }
}

function planned<Spec>(kind: Kind<Spec>, config: Found): Plan {
  const spec = kind.parse(config);
  return { addressless: kind.addressless?.(spec) ?? false, build: (attached) => kind.desired(spec, attached) };
}

/** The attachment types: one row for each. */

import type { Mac } from "#lib/address.ts";
import { type Found, oneOf } from "#lib/parse.ts";
import type { DeviceWish } from "#lib/state/device.ts";
import { bridge } from "./bridge/bridge.ts";
import { hostDevice } from "./host-device/host-device.ts";
import { ipvlan } from "./ipvlan/ipvlan.ts";
import type { Attached, Built, Carrier, Kind, Parent } from "./kind.ts";
import { loopback } from "./loopback/loopback.ts";
import { macvlan } from "./macvlan/macvlan.ts";
import { ptp } from "./ptp/ptp.ts";
import { sriov } from "./sriov/sriov.ts";
import { tap } from "./tap/tap.ts";
import { vlan } from "./vlan/vlan.ts";

export const kinds = { ptp, bridge, macvlan, ipvlan, vlan, "host-device": hostDevice, sriov, tap, loopback } as const;

export type AttachmentType = keyof typeof kinds;

export const ATTACHMENT_TYPES = Object.keys(kinds) as AttachmentType[];

const DEFAULT_ATTACHMENT: AttachmentType = "ptp";

/** @throws SelvedgeError config-invalid: `attachment: "brigde" is not one of "ptp", "bridge"`. */
export const attachmentType = (found: Found): AttachmentType =>
  oneOf(found, ATTACHMENT_TYPES, { or: DEFAULT_ATTACHMENT });

/** A configuration that has been read: what is left is the attachment itself. */
export interface Plan {
  /** The attachment must not be given addresses. */
  readonly addressless: boolean;
  readonly type: AttachmentType;
  /** The link that carries the attachment's own: to be looked up before `build`. */
  readonly parent?: Parent;
  /** The device that it takes, to be found before `build`; undefined for types that take none. @throws SelvedgeError config-invalid */
  device(deviceId: string | undefined): DeviceWish | undefined;
  /** The pod's MAC when the request names none; undefined: one derived from its key. */
  mac(carrier: Carrier | undefined): Mac | undefined;
  build(attached: Attached): Built;
}

/** Reads the fields of `type` from the network configuration. @throws SelvedgeError config-invalid, unsupported-field */
export function plan(type: AttachmentType, config: Found): Plan {
  // Each row is a Kind of its own spec; reading and building stay together, so that the specs never mix.
  switch (type) {
    case "ptp":
      return planned(type, ptp, config);
    case "bridge":
      return planned(type, bridge, config);
    case "macvlan":
      return planned(type, macvlan, config);
    case "ipvlan":
      return planned(type, ipvlan, config);
    case "vlan":
      return planned(type, vlan, config);
    case "host-device":
      return planned(type, hostDevice, config);
    case "sriov":
      return planned(type, sriov, config);
    case "tap":
      return planned(type, tap, config);
    case "loopback":
      return planned(type, loopback, config);
  }
}

function planned<Spec>(type: AttachmentType, kind: Kind<Spec>, config: Found): Plan {
  const spec = kind.parse(config);
  const parent = kind.parent?.(spec);
  return {
    type,
    addressless: kind.addressless?.(spec) ?? false,
    ...(parent === undefined ? {} : { parent }),
    device: (deviceId) => kind.device?.(spec, deviceId),
    mac: (carrier) => kind.mac?.(spec, carrier),
    build: (attached) => kind.desired(spec, attached),
  };
}

/** What links must take at least. */
import { family, type Prefix } from "./address.ts";
import { SelvedgeError } from "./errors.ts";

/** RFC 8200, section 5: bytes that every link with IPv6 takes; the kernel has no IPv6 on one that takes fewer. */
export const IPV6_LEAST_MTU = 1_280;

/** @throws SelvedgeError config-invalid: addresses of IPv6 on a link that is too narrow for it */
export function refuseNarrow(mtu: number, addresses: readonly Prefix[]): void {
  const six = addresses.find((each) => family(each) === 6);
  if (six === undefined || mtu >= IPV6_LEAST_MTU) return;
  throw new SelvedgeError(
    { kind: "config-invalid", field: "mtu" },
    `mtu: ${mtu} is too little for ${six}: IPv6 needs ${IPV6_LEAST_MTU} bytes`,
  );
}

/** linux/socket.h: how the kernel numbers address families. */
import { type Address, type Family, family, type Prefix } from "#lib/address.ts";

export const AF = { 4: 2, 6: 10 } as const satisfies Record<Family, number>;

export const familyNumber = (of: Address | Prefix): number => AF[family(of)];
export const familyOf = (n: number): Family | undefined => (n === AF[4] ? 4 : n === AF[6] ? 6 : undefined);

/** Sets that rules fill with what passes: for people, now and then, so nft's own words will do. */
import { address } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import { askNft } from "#native/libnftables.ts";
import type { Flow } from "../counters.ts";
import type { Place } from "./place.ts";

interface Listed {
  readonly nftables: readonly { readonly set?: { readonly elem?: readonly { readonly elem?: Element }[] } }[];
}
interface Element {
  readonly val?: { readonly concat?: readonly unknown[] };
  readonly counter?: { readonly packets?: number };
}

/** Nothing where there is no such set. @throws SelvedgeError kernel */
export function flowsIn({ netns }: Place, set: string): Flow[] {
  const { nftables } = JSON.parse(listing(set, netns)) as Listed;
  return nftables.flatMap((object) =>
    (object.set?.elem ?? []).flatMap(({ elem }) => {
      const [from, to, protocol, port] = elem?.val?.concat ?? [];
      if (protocol === undefined) return [];
      const packets = elem?.counter?.packets ?? 0;
      return [{ from: address(from), to: address(to), protocol: String(protocol), port: Number(port), packets }];
    }),
  );
}

function listing(set: string, netns: number | undefined): string {
  try {
    return askNft(`list set inet selvedge ${set}`, netns);
  } catch (error) {
    if (isFailure(error, "kernel") && error.message.includes("No such file")) return '{"nftables":[]}';
    throw error;
  }
}

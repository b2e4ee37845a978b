/** Routers that are one and the same: each of two pushers would confirm what the other has pushed, and be in its way. */
import { address } from "#lib/address.ts";
import { readable } from "#lib/parse.ts";
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import { listAt } from "./overlaps.ts";

const ROUTERS = ["edge", "routers"] as const;

/** However they are written. */
export function sameRouters(root: unknown): Complaint[] {
  const routers = listAt(lookUp(root, ["edge"]), "routers");
  const urls = routers.map((router) => ({ key: originOf(lookUp(router, ["url"])), at: ["url"] }));
  const addresses = routers.map((router) =>
    listAt(lookUp(router, ["bgp"]), "addresses").map((each, j) => ({
      key: readable(() => address(each)),
      at: ["bgp", "addresses", j],
    })),
  );
  return [
    ...again(urls.map((each) => [each])).map(({ of, i, key, at }) => ({
      ...complaint([...ROUTERS, i, ...at], `${key} is the URL of another router, too; leave one of the two out`),
      against: [...ROUTERS, of],
    })),
    ...again(addresses).map(({ of, i, key, at }) => ({
      ...complaint([...ROUTERS, i, ...at], `${key} is there before; FRR on a node calls it once`),
      ...(of === i ? {} : { against: [...ROUTERS, of] }),
    })),
  ];
}

const originOf = (url: unknown): string | undefined =>
  typeof url === "string" && URL.canParse(url) ? new URL(url).origin : undefined;

interface Place {
  /** Undefined: it is somebody else's complaint. */
  readonly key: string | undefined;
  readonly at: readonly (string | number)[];
}

/** Places whose key is that of one before. @returns of which router that is */
function again(routers: readonly (readonly Place[])[]): (Place & { readonly of: number; readonly i: number })[] {
  const first = new Map<string, number>();
  return routers.flatMap((places, i) =>
    places.flatMap((place) => {
      const { key } = place;
      const of = key === undefined ? undefined : first.get(key);
      if (key !== undefined && of === undefined) first.set(key, i);
      return of === undefined ? [] : [{ ...place, of, i }];
    }),
  );
}

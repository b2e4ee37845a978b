/**
 * The path between two pods, wherever they are: the node that is asked finds both ends, has each end's node look at its
 * part, and has the first one's node send probes along it.
 */
import type { Address, Family } from "#lib/address.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import { type Path, PathHop, type PathProbe, type PathRequest } from "#proto/selvedge_pb.ts";
import { type Asked, type Inquiry, inquiry, type Told } from "../cluster/inquiry.ts";
import type { Core } from "../core.ts";
import { addressOfFamily, bareEnd, type End, endsMeant, familyOf, theOne } from "./ends.ts";
import { arriving, type Departure, departing, probed } from "./legs.ts";
import { departureIn, endsIn, hopsIn, probesIn } from "./told.ts";
import { judged } from "./verdict.ts";

/** For the answers of other nodes, and for probes, which wait by themselves. */
const WAIT_MS = { usual: 5_000, longest: 60_000, probes: 10_000 };

type Handler = (request: PathRequest) => Promise<Path>;

type Ask = (asked: Asked, node: string, waitMs: number) => Promise<unknown>;

/** What one node asks another; JSON. */
type Question =
  | { readonly kind: "path-ends"; readonly body: { readonly wanted: readonly string[] } }
  | { readonly kind: "path-depart"; readonly body: Leg }
  | { readonly kind: "path-arrive"; readonly body: Leg }
  | { readonly kind: "path-probe"; readonly body: ProbeLeg };

interface Leg {
  readonly on: string;
  readonly end: End;
  readonly family: Family;
  readonly other?: string;
  readonly way?: NonNullable<Departure["way"]>;
}
interface ProbeLeg extends Leg {
  /** Absent where another version of Selvedge asks. */
  readonly from?: Address;
  readonly to: Address;
  readonly mtu: number;
}

export function paths(core: Core): Handler {
  const { cluster, shared, log } = core;
  const self = cluster?.self.name ?? "";

  /** What this node knows of a question; undefined: nothing. @throws SelvedgeError */
  const answer = async ({ kind, body }: Asked): Promise<unknown> => {
    const question = { kind, body } as Question;
    switch (question.kind) {
      case "path-ends": {
        const found = question.body.wanted.map((wanted) => endsMeant(core, wanted, self));
        return found.some((ends) => ends.length > 0) ? found : undefined;
      }
      case "path-depart":
      case "path-arrive":
      case "path-probe":
        if (question.body.on !== self) return undefined;
        return orRefusal(() => own(question));
    }
  };

  const own = async (question: Exclude<Question, { kind: "path-ends" }>): Promise<unknown> => {
    const { end, family, other, way } = question.body;
    switch (question.kind) {
      case "path-depart":
        return departing(core, end, family, other);
      case "path-arrive":
        return arriving(core, end, other === undefined || way === undefined ? undefined : { node: other, way, family });
      case "path-probe":
        return probed(core, end, { ...question.body, of: family });
    }
  };

  const round: Inquiry | undefined =
    cluster === undefined || shared === undefined ? undefined : inquiry({ shared, self, answer, log });
  if (round !== undefined) cluster?.listen(round);

  /** One node's answer, this one's among them. @throws SelvedgeError */
  const askNode: Ask = async (asked, node, waitMs) => {
    const told =
      node === self
        ? await answer(asked)
        : (await round?.ask(asked, (answers) => answers.has(node), waitMs))?.get(node);
    if (typeof told === "object" && told !== null && "refusal" in told)
      throw new SelvedgeError({ kind: "config-invalid", field: "pod" }, `${node}: ${String(told.refusal)}`);
    return told;
  };

  /** Both ends, of this node or of any. @throws SelvedgeError config-invalid, store */
  const endsOf = async (wanted: readonly string[], waitMs: number): Promise<End[]> => {
    const here = wanted.map((each) => endsMeant(core, each, self));
    const known = (told: Told): End[][] =>
      wanted.map((_, i) => [...(here[i] ?? []), ...[...told.values()].flatMap((each) => endsIn(each)?.[i] ?? [])]);
    const isEnough = (told: Told): boolean => known(told).every((ends) => ends.length > 0);
    const nobody: Told = new Map();
    const asks = round !== undefined && cluster?.connected === true && !isEnough(nobody);
    const told = asks ? await round.ask({ kind: "path-ends", body: { wanted } }, isEnough, waitMs) : nobody;
    return known(told).map((ends, i) => {
      const text = wanted[i] ?? "";
      // Packets to an address take their way whether its node answers questions or not.
      const bare = i > 0 && ends.length === 0 ? bareEnd(text, core) : undefined;
      return bare ?? theOne(text, ends, core);
    });
  };

  return async ({ from: wantedFrom, to: wantedTo, family: wantedFamily, waitMs: given }) => {
    const waitMs = Math.min(given || WAIT_MS.usual, WAIT_MS.longest);
    const [from, to] = await endsOf([wantedFrom, wantedTo], waitMs);
    if (from === undefined || to === undefined) throw new TypeError("a path has two ends");
    const family = familyOf(from, to, wantedFamily);
    const [source, target] = [addressOfFamily(from, family), addressOfFamily(to, family)];
    if (source === undefined || target === undefined) throw new TypeError(`no IPv${family} address`);
    const isNear = from.node === to.node;
    const leg = (end: End, more: Omit<Leg, "on" | "end" | "family">): Leg => ({ on: end.node, end, family, ...more });
    const departure = departureIn(
      await askNode({ kind: "path-depart", body: leg(from, isNear ? {} : { other: to.node }) }, from.node, waitMs),
    );
    const { way } = departure ?? {};
    const arrival = hopsIn(
      await askNode(
        { kind: "path-arrive", body: leg(to, isNear || way === undefined ? {} : { other: from.node, way }) },
        to.node,
        waitMs,
      ),
    );
    const hops = withoutRepeats([...(departure?.hops ?? [silent(from.node)]), ...(arrival ?? [silent(to.node)])]);
    const mtu = Math.min(...hops.flatMap((hop) => (hop.mtu > 0 ? [hop.mtu] : [])));
    const known = Number.isFinite(mtu) ? mtu : 0;
    const body: ProbeLeg = { ...leg(from, {}), from: source, to: target, mtu: known };
    const probes = probesIn(await askNode({ kind: "path-probe", body }, from.node, WAIT_MS.probes)) ?? [];
    return {
      from: { ...shownEnd(from), address: source },
      to: { ...shownEnd(to), address: target },
      family,
      hops,
      probes,
      mtu: known,
      ...shownVerdict(hops, probes),
    };
  };
}

function shownVerdict(hops: readonly PathHop[], probes: readonly PathProbe[]) {
  const { verdict, advice } = judged(hops, probes);
  return { verdict, advice: [...advice] };
}

/** Two ports of one bridge. */
const withoutRepeats = (hops: readonly PathHop[]): PathHop[] =>
  hops.filter(({ node, device }, i) => device === "" || node !== hops[i - 1]?.node || device !== hops[i - 1]?.device);

const shownEnd = ({ containerId, ifname, pod, node }: End) => ({ containerId, ifname, pod, node });

const silent = (node: string): PathHop =>
  PathHop.of({ node, place: "node", kind: "none", what: "did not answer: is its daemon there? `selvedgectl nodes`" });

/** A node that cannot answer says why, so that nobody waits for it. */
async function orRefusal(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { refusal: error.message };
  }
}

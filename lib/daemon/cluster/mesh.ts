/** Who reaches whom: one node asks by the shared store, and every node answers with what its own probes show. */
import { Reach } from "#proto/selvedge_pb.ts";
import { type InquiryOptions, inquiry, type Told } from "./inquiry.ts";
import type { Listener } from "./membership.ts";

const KIND = "reach";

export interface Mesh extends Listener {
  /**
   * Asks these nodes, this one among them or not, and waits for them.
   * @returns what they see of one another; who did not answer is not in it
   * @throws SelvedgeError store
   */
  ask(nodes: readonly string[], waitMs: number): Promise<ReadonlyMap<string, readonly Reach[]>>;
}

export interface MeshOptions extends Pick<InquiryOptions, "shared" | "self" | "log"> {
  /** What this node sees of those. */
  readonly reaches: (nodes: readonly string[]) => readonly Reach[];
}

export function mesh({ reaches, ...options }: MeshOptions): Mesh {
  const { self } = options;
  const seenOf = (nodes: readonly string[]): readonly Reach[] | undefined =>
    nodes.includes(self) ? reaches(nodes) : undefined;
  const round = inquiry({
    ...options,
    answer: async ({ kind, body }) => (kind === KIND ? seenOf(textsIn(body)) : undefined),
  });
  return {
    heed: round.heed,
    connection: round.connection,
    async ask(nodes, waitMs) {
      const others = nodes.filter((node) => node !== self);
      const isEnough = (told: Told): boolean => others.every((node) => told.has(node));
      const told = others.length === 0 ? [] : await round.ask({ kind: KIND, body: nodes }, isEnough, waitMs);
      const own = seenOf(nodes);
      return new Map([
        ...(own === undefined ? [] : [[self, own] as const]),
        ...Array.from(told, ([node, answer]) => [node, reachesIn(answer)] as const),
      ]);
    },
  };
}

const listIn = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const textsIn = (value: unknown): string[] => listIn(value).filter((each) => typeof each === "string");
const reachesIn = (value: unknown): Reach[] =>
  listIn(value).flatMap((each) => (typeof each === "object" && each !== null ? [Reach.of(each)] : []));

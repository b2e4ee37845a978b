/** Pods that routers choose by namespace and labels: their addresses, kept as pods come and go. */
import { type Address, type Family, family } from "#lib/address.ts";
import { matcher } from "#lib/pattern.ts";
import type { EdgeView, PodChoice, RouterSpec } from "./router.ts";

/** A pod as it is told of. */
export interface ToldPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly Address[];
  readonly isUnready?: true;
}

export interface ChosenPods {
  /** From now on these. @param told all pods there are: those of choices that are new */
  choose(choices: readonly PodChoice[], told: Iterable<ToldPod>): void;
  put(pod: ToldPod): void;
  /** @param key `namespace/name` */
  remove(key: string): void;
  /** Whether a choice has other addresses than when this was asked last. */
  take(): boolean;
  /** By choice. */
  addresses(): ReadonlyMap<string, readonly Address[]>;
}

type Choosing = Pick<RouterSpec, "groups" | "loadBalancers" | "virtualServers">;

/** What a router chooses. */
export const choicesOf = ({ groups, loadBalancers, virtualServers }: Choosing): PodChoice[] =>
  [...groups, ...loadBalancers, ...virtualServers].flatMap(({ pods }) => pods ?? []);

/** The same for choices of the same pods. */
export const choiceText = ({ namespace = "*", labels = {}, ready = false }: PodChoice): string =>
  JSON.stringify([namespace, ready, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);

/** @param of one family alone; absent: both */
export const chosenBy = (choice: PodChoice, { pods }: Pick<EdgeView, "pods">, of?: Family): Address[] =>
  (pods?.get(choiceText(choice)) ?? []).filter((address) => of === undefined || family(address) === of);

/** Why what is made of so many entries stays as it is. */
export const tooMany = (entries: number, { most }: PodChoice): string =>
  `would have ${entries} entries, and may have ${most}: it stays as it is`;

interface Choice {
  readonly text: string;
  isMeant(pod: ToldPod): boolean;
  /** Addresses by pod. */
  readonly members: Map<string, readonly Address[]>;
}

/** Of hundreds of thousands of pods only those that are chosen are kept. */
export function chosenPods(): ChosenPods {
  let all: readonly Choice[] = [];
  let isOther = false;
  /** Until there are others. */
  let addresses: ReadonlyMap<string, readonly Address[]> | undefined;

  const become = (members: Map<string, readonly Address[]>, key: string, next: readonly Address[]): void => {
    if ((members.get(key) ?? []).join() === next.join()) return;
    if (next.length === 0) members.delete(key);
    else members.set(key, next);
    isOther = true;
    addresses = undefined;
  };
  const put = (choices: readonly Choice[], pod: ToldPod): void => {
    const key = `${pod.namespace}/${pod.name}`;
    for (const { isMeant, members } of choices) become(members, key, isMeant(pod) ? pod.addresses : []);
  };
  return {
    choose(choices, told) {
      const before = new Map(all.map((each) => [each.text, each]));
      const wanted = new Map(choices.map((choice) => [choiceText(choice), choice]));
      const fresh = [...wanted]
        .filter(([text]) => !before.has(text))
        .map(([text, choice]) => ({ text, isMeant: meaning(choice), members: new Map() }));
      if (fresh.length > 0) for (const pod of told) put(fresh, pod);
      all = [...all.filter(({ text }) => wanted.has(text)), ...fresh];
      addresses = undefined;
    },
    put: (pod) => put(all, pod),
    remove(key) {
      for (const { members } of all) become(members, key, []);
    },
    take() {
      const was = isOther;
      isOther = false;
      return was;
    },
    addresses() {
      // Of two pods that are told with one address, one is on its way out.
      addresses ??= new Map(all.map(({ text, members }) => [text, [...new Set([...members.values()].flat())].sort()]));
      return addresses;
    },
  };
}

function meaning({ namespace, labels = {}, ready = false }: PodChoice): (pod: ToldPod) => boolean {
  const isNamespace = namespace === undefined ? () => true : matcher(namespace);
  const wanted = Object.entries(labels);
  return (pod) =>
    isNamespace(pod.namespace) &&
    !(ready && pod.isUnready) &&
    wanted.every(([key, value]) => pod.labels[key] === value);
}

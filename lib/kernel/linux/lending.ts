/** What of an `apply` is about devices: their way to the pod and back, their virtual functions, their drivers. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LentDevice } from "#lib/state/device-fact.ts";
import type { Op } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import { bindDriver, driverOf } from "../sysfs/pci.ts";
import { restoreFunctions, setFunctions } from "./functions.ts";
import { fetchBack, isLent, restore } from "./lent.ts";
import type { Place, PodPlace } from "./place.ts";
import { lendRdma, lookRdma, takeRdmaBack } from "./rdma.ts";
import { releaseAll } from "./representors.ts";

export interface Lending {
  /** Drivers that are bound, RDMA devices that the pod sees; what rtnetlink tells of is looked at elsewhere. */
  look(pod: PodPlace | undefined, facts: readonly Fact[]): Promise<Fact[]>;
  /** Everything that removals take from the pod is the host's again, as it was. @throws SelvedgeError kernel */
  giveBack(pod: PodPlace | undefined, ops: readonly Op[]): Promise<void>;
  /** What was claimed on the host is as it was; nothing of ours lies on it any more. @throws SelvedgeError kernel */
  release(ops: readonly Op[]): Promise<void>;
  /** Virtual functions, drivers and RDMA devices are as wanted; the devices themselves move with the pod's links. @throws SelvedgeError kernel */
  prepare(pod: PodPlace | undefined, ops: readonly Op[]): Promise<void>;
}

/** `sysfs`: where it is mounted. */
export function lending(host: Place, sysfs: string): Lending {
  const exists = (lent: LentDevice): boolean =>
    lent.pci === undefined ? lent.physical === true : existsSync(join(sysfs, "bus/pci/devices", lent.pci));
  return {
    async look(pod, facts) {
      const found: Fact[] = lookRdma(pod, facts);
      for (const fact of facts) {
        const driver = fact.type === "driver" ? await driverOf(sysfs, fact.pci) : undefined;
        if (fact.type === "driver" && driver !== undefined) found.push({ ...fact, driver });
      }
      return found;
    },
    async giveBack(pod, ops) {
      takeRdmaBack(host, pod, ops);
      const given = ops.flatMap(({ do: verb, fact }) =>
        verb === "remove" && fact.at === "pod" && isLent(fact) ? [fact] : [],
      );
      const back = await fetchBack(host, pod, given, exists);
      // A driver may refuse the device's own address while the physical function still names another.
      // A function that did not come back has another pod by now, and its settings are that pod's.
      if (back.length === given.length) await restoreFunctions(host, ops);
      for (const device of back) await restore(host, device);
      for (const { do: verb, fact } of ops)
        if (verb === "remove" && fact.type === "driver" && fact.before !== undefined)
          await bindDriver(sysfs, fact.pci, fact.before);
    },
    release: (ops) => releaseAll(host, ops),
    async prepare(pod, ops) {
      await setFunctions(host, ops);
      lendRdma(host, pod, ops);
      for (const { do: verb, fact } of ops)
        if (verb !== "remove" && fact.type === "driver") await bindDriver(sysfs, fact.pci, fact.driver);
    },
  };
}

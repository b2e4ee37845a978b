/** What quality of service is configured for attachments, and what the kernel counts meanwhile. */
import { setTimeout as sleep } from "node:timers/promises";
import { hostLinkName } from "#lib/attach/names.ts";
import type { LinkCounters, QueueCounters } from "#lib/kernel/counters.ts";
import { dscpName } from "#lib/qos.ts";
import type { ElementFact, Fact } from "#lib/state/fact.ts";
import type { TreeClass, TreeFact } from "#lib/state/traffic-fact.ts";
import type { AttachmentKey, AttachmentRecord } from "#lib/store/store.ts";
import type { Qos, QosList, Traffic } from "#proto/selvedge_pb.ts";
import { type Core, hostOf } from "./core.ts";
import { leaseKeys, partsOf } from "./parts.ts";

/** Between the two samples, ms. */
const APART_MS = 1_000;

/** One direction of one interface, or a total: where it is counted and what holds it. */
interface Gauge {
  readonly host: string;
  readonly link: string;
  /** Of a tree: the class; the tree itself where absent. */
  readonly classId?: number;
  /** The link's own counter, where no queue of ours is. */
  readonly plain?: "rx" | "tx";
  readonly key: AttachmentKey;
  readonly direction: "ingress" | "egress";
  readonly limitBits: number;
  readonly assuredBits: number;
}

interface Interface {
  readonly key: AttachmentKey;
  readonly record: AttachmentRecord;
  readonly link: string;
  readonly mac: string | undefined;
  readonly facts: readonly Fact[];
  readonly gauges: readonly [Gauge, Gauge];
}

/** Waits about a second. Links that go meanwhile are left out. @throws SelvedgeError kernel */
export async function measure(core: Core, records: readonly AttachmentRecord[]): Promise<QosList> {
  const interfaces = records.flatMap(interfacesOf);
  const totals = records.flatMap(totalsOf);
  const gauges = [...interfaces.flatMap(({ gauges: both }) => both), ...totals];
  const first = await sample(core, gauges);
  await sleep(APART_MS);
  const second = await sample(core, gauges);
  const traffic = (gauge: Gauge): Traffic | undefined => {
    const [before, after] = [countOf(first, gauge), countOf(second, gauge)];
    if (before === undefined || after === undefined) return undefined;
    return shown(gauge, before, after, second.atUs - first.atUs);
  };
  return {
    interfaces: interfaces.flatMap((each): Qos[] => {
      const [ingress, egress] = each.gauges.map(traffic);
      if (ingress === undefined || egress === undefined) return [];
      const { key, record, link } = each;
      return [
        {
          key: { containerId: key.containerId, ifname: key.ifname },
          network: record.planes?.find(({ ifname }) => ifname === key.ifname)?.name ?? record.network,
          pod: record.pod ?? "",
          link,
          ...marks(each),
          ingress,
          egress,
        },
      ];
    }),
    totals: totals.flatMap((gauge) => traffic(gauge) ?? []),
  };
}

function interfacesOf(record: AttachmentRecord): Interface[] {
  return partsOf(record).flatMap(({ host, facts }) =>
    leaseKeys(record).flatMap((key): Interface[] => {
      const link = hostLinkName(key);
      if (!facts.some((fact) => fact.type === "link" && fact.at === "host" && fact.name === link)) return [];
      const inPod = facts.find((fact) => fact.type === "link" && fact.at === "pod" && fact.name === key.ifname);
      const mac = inPod?.type === "link" ? inPod.mac : undefined;
      const common = { host, key, link };
      const gauge = (direction: Gauge["direction"]): Gauge => {
        const to =
          direction === "egress" ? deviceOf(facts, link, undefined) : (deviceOf(facts, link, "egress") ?? link);
        const held = to === undefined ? undefined : queueOn(facts, to, mac);
        return to === undefined || held === undefined
          ? { ...common, direction, plain: direction === "egress" ? "rx" : "tx", limitBits: 0, assuredBits: 0 }
          : { ...common, direction, link: to, ...held };
      };
      return [{ key, record, link, mac, facts, gauges: [gauge("ingress"), gauge("egress")] }];
    }),
  );
}

const deviceOf = (facts: readonly Fact[], link: string, hook: "egress" | undefined): string | undefined =>
  facts.flatMap((fact) => (fact.type === "redirect" && fact.link === link && fact.hook === hook ? [fact.to] : []))[0];

function queueOn(
  facts: readonly Fact[],
  link: string,
  mac: string | undefined,
): Pick<Gauge, "classId" | "limitBits" | "assuredBits"> | undefined {
  for (const fact of facts) {
    if (fact.type === "shaper" && fact.link === link) return { limitBits: fact.rateBits, assuredBits: 0 };
    if (fact.type !== "tree" || fact.link !== link) continue;
    const own = fact.classes.find(({ match }: TreeClass) => match.mac === mac);
    if (own !== undefined) return { classId: own.id, limitBits: own.ceilBits, assuredBits: own.rateBits };
  }
  return undefined;
}

const totalsOf = (record: AttachmentRecord): Gauge[] =>
  partsOf(record).flatMap(({ host, facts }) =>
    facts
      .filter((fact): fact is TreeFact => fact.type === "tree")
      .map(({ link, rateBits, classes }) => ({
        host,
        link,
        key: record,
        direction: classes[0]?.match.field === "source" ? "egress" : "ingress",
        limitBits: rateBits,
        assuredBits: 0,
      })),
  );

interface Sample {
  readonly atUs: number;
  readonly counters: ReadonlyMap<string, LinkCounters>;
}

async function sample(core: Core, gauges: readonly Gauge[]): Promise<Sample> {
  const byHost = Map.groupBy(gauges, ({ host }) => host);
  const found: [string, LinkCounters][] = [];
  for (const [host, of] of byHost) {
    const names = [...new Set(of.map(({ link }) => link))];
    for (const each of await hostOf(core, host).kernel.counters(names)) found.push([`${host}/${each.link}`, each]);
  }
  return { atUs: core.clockUs(), counters: new Map(found) };
}

function countOf({ counters }: Sample, { host, link, classId, plain }: Gauge): QueueCounters | undefined {
  const seen = counters.get(`${host}/${link}`);
  if (seen === undefined || plain === undefined)
    return classId === undefined ? seen?.queue : seen?.classes?.get(classId);
  const [bytes, packets] = plain === "rx" ? [seen.rxBytes, seen.rxPackets] : [seen.txBytes, seen.txPackets];
  return { bytes, packets, drops: 0, overlimits: 0 };
}

function shown(gauge: Gauge, before: QueueCounters, after: QueueCounters, apartUs: number): Traffic {
  const { key, direction, link, limitBits, assuredBits } = gauge;
  // A queue that was made anew in between counts from 0.
  const bytes = Math.max(0, after.bytes - before.bytes);
  return {
    key: { containerId: key.containerId, ifname: key.ifname },
    direction,
    link,
    limitBits,
    assuredBits,
    measuredBits: apartUs <= 0 ? 0 : Math.round((bytes * 8 * 1e6) / apartUs),
    bytes: after.bytes,
    packets: after.packets,
    drops: after.drops,
    overlimits: after.overlimits,
  };
}

/** Read off the elements that set them; a value that no mark has is none (lib/datapath/marking.ts). */
function marks({ facts, mac }: Interface): Pick<Qos, "dscp" | "priority"> {
  const minorIn = (set: string, major: string): number | undefined => {
    const element = facts.find(
      (fact): fact is ElementFact => fact.type === "element" && fact.set === set && fact.key[1] === mac,
    );
    const [found, minor = ""] = element?.value?.[0]?.split(":") ?? [];
    return found === major ? Number.parseInt(minor, 16) : undefined;
  };
  const codePoint = minorIn("code_point", "1");
  const priority = minorIn("prio_class", "0");
  return {
    dscp: codePoint === undefined || codePoint > 63 ? "" : dscpName(codePoint),
    priority: priority === undefined ? "" : String(priority),
  };
}

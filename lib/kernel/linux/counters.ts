/** Counters of links and of the queues that are ours, by exact link. */
import type { LinkCounters, QueueCounters } from "../counters.ts";
import { attrs } from "../netlink/attr.ts";
import { text, u64 } from "../netlink/codec.ts";
import { ifinfomsg, RTM_LINK } from "../netlink/link.ts";
import { layout, type Message, type Request } from "../netlink/message.ts";
import { struct } from "../netlink/struct.ts";
import { RTM_CLASS, tcMessage } from "../netlink/tc.ts";
import { getShaper, readShaper } from "../rtnl/shaper.ts";
import { dumpClasses, readClass, readTree } from "../rtnl/tree.ts";
import type { Place } from "./place.ts";

/** The beginning of struct rtnl_link_stats64 (linux/if_link.h, v6.12): IFLA_STATS64. */
const stats = struct({ rxPackets: u64, txPackets: u64, rxBytes: u64, txBytes: u64 });
const counted = layout(ifinfomsg, attrs({ name: [3, text], stats: [23, stats] }));

const getCounted = (name: string): Request => ({
  what: `link get ${name}`,
  type: RTM_LINK.GET,
  flags: 0,
  body: counted.body({}, { name }),
});

/** Those of the links that are there. @throws SelvedgeError kernel */
export async function linkCounters(place: Place, names: readonly string[]): Promise<LinkCounters[]> {
  const seen = (await place.run(names.map(getCounted))).flatMap(({ messages }) =>
    messages.flatMap(({ body }) => {
      const { head, attrs: values } = counted.read(body);
      return values.name === undefined || values.stats === undefined
        ? []
        : [{ index: head.index, link: values.name, stats: values.stats }];
    }),
  );
  const roots = await place.run(seen.map(({ index }) => getShaper(index)));
  return seen.map(({ index, link, stats: of }, i) => {
    const root = roots[i]?.messages.find(
      (message) => readTree(message) !== undefined || readShaper(message) !== undefined,
    );
    return {
      link,
      rxBytes: Number(of.rxBytes),
      rxPackets: Number(of.rxPackets),
      txBytes: Number(of.txBytes),
      txPackets: Number(of.txPackets),
      ...(root === undefined ? {} : { queue: queueOf(root) }),
      ...(root !== undefined && readTree(root) !== undefined ? { classes: classesOf(place, index) } : {}),
    };
  });
}

function classesOf(place: Place, index: number): ReadonlyMap<number, QueueCounters> {
  const messages = place.dump(dumpClasses(index)).filter(({ type }) => type === RTM_CLASS.NEW);
  return new Map(
    messages.flatMap((message): [number, QueueCounters][] => {
      const seen = readClass(message);
      return seen === undefined ? [] : [[seen.id, queueOf(message)]];
    }),
  );
}

function queueOf(message: Message): QueueCounters {
  const { basic, queue } = tcMessage.read(message.body).attrs.stats ?? {};
  return {
    bytes: Number(basic?.bytes ?? 0n),
    packets: basic?.packets ?? 0,
    drops: queue?.drops ?? 0,
    overlimits: queue?.overlimits ?? 0,
  };
}

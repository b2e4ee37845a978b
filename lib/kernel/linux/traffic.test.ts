import { expect, test } from "@jest/globals";
import type { ShaperFact } from "#lib/state/traffic-fact.ts";
import type { Message } from "../netlink/message.ts";
import { RTM_QDISC } from "../netlink/tc.ts";
import { addShaper } from "../rtnl/shaper.ts";
import type { Place } from "./place.ts";
import { ownTraffic } from "./traffic.ts";

const shaper = (link: string): ShaperFact => ({
  type: "shaper",
  at: "host",
  link,
  rateBits: 8_000_000,
  burstBytes: 100_000,
  latencyUs: 25_000,
});

test("each queue of the node is read as often, however many links there are", async () => {
  const links = Array.from({ length: 300 }, (_, i) => ({ index: i + 2, name: `sv${i}`, kind: "veth" }));
  let reads = 0;
  const queues = links.map(({ index, name }): Message => {
    const { body } = addShaper(shaper(name), index);
    return {
      type: RTM_QDISC.NEW,
      flags: 0,
      sequence: 0,
      port: 0,
      get body() {
        reads++;
        return body;
      },
    };
  });
  const host: Place = { at: "host", run: async () => [], wait: async () => [], dump: () => queues };
  const facts = await ownTraffic(host, links, String);
  expect(facts.map((fact) => "link" in fact && fact.link)).toEqual(links.map(({ name }) => name));
  expect(reads).toBeLessThanOrEqual(4 * queues.length);
});

import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { parseConfig } from "#lib/config/config.ts";
import type { RouterSpec } from "#lib/edge/router.ts";
import { sampleBgp, sampleRouter } from "#lib/edge/sample-router.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { fakeSpeaker } from "#lib/frr/fake.ts";
import type { Event } from "#lib/log.ts";
import { type SpeakingCore, speaking } from "./speaking.ts";

const CONFIG = parseConfig(`
pools:
  - {name: default, ranges: [[{subnet: 10.66.0.0/16}]]}
  - {name: media, ranges: [[{subnet: 10.67.0.0/20}]]}
networks: [{name: std, expose: true}, {name: media, pool: media}]
edge: {routers: []}
`);
const SUBNETS = { default: prefix("10.66.0.0/16"), media: prefix("10.67.0.0/20") };
const ROUTER = sampleRouter({ bgp: sampleBgp() });

function rig(cluster?: object, routers: readonly RouterSpec[] = [ROUTER]) {
  const speaker = fakeSpeaker();
  const events: Event[] = [];
  let nowMs = 1_000_000;
  const core = {
    config: CONFIG,
    ipam: {
      subnets: (isMeant: (pool: string) => boolean) =>
        Object.entries(SUBNETS).flatMap(([pool, subnet]) => (isMeant(pool) ? [subnet] : [])),
    },
    node: { uplink: "eth0", networks: [{ link: "eth0", address: prefix("192.0.2.11/24") }] },
    log: (event: Event) => void events.push(event),
    nowMs: () => nowMs,
    clockUs: () => 0,
    ...(cluster && { cluster }),
  } as unknown as SpeakingCore;
  const config = { speaker: { port: 179, holdSeconds: 9, directory: "/d", programs: "/p" } };
  const voice = speaking(core, { speaker, config, specs: async () => routers, random: () => 1 });
  return {
    speaker,
    voice,
    events,
    later: (ms: number) => {
      nowMs += ms;
    },
    said: () => (speaker.text ?? "").match(/network \S+\/\d+/g),
  };
}

test("a node that is alone tells of the pools that are exposed, once", async () => {
  const { voice, said, events } = rig();
  await voice.pass();
  await voice.pass();
  expect(said()).toEqual(["network 10.66.0.0/16"]);
  expect(events).toEqual([{ event: "speaker-told", neighbours: 1, networks: 1, tookMs: 0 }]);
});

test("a node of a cluster tells of its own part, and of egress addresses that it has, whether the store is there or not", async () => {
  const { voice, said, speaker } = rig({
    self: { name: "alpha", uid: "u" },
    connected: false,
    informed: false,
    record: { addresses: [address("2001:db8::11")], segments: [prefix("192.0.2.0/24")] },
    view: {
      destinationsOf: (node: string) =>
        node === "alpha"
          ? [
              { pool: "default", prefix: prefix("10.66.0.64/26") },
              { pool: "media", prefix: prefix("10.67.0.0/26") },
            ]
          : [],
    },
    egress: () => [
      { address: address("192.0.2.200"), exit: "here" },
      { address: address("192.0.2.201"), exit: "node" },
    ],
  });
  await voice.pass();
  expect(said()).toEqual(["network 10.66.0.64/26", "network 192.0.2.200/32"]);
  // It has no IPv4 address: who it is makes one of its own, the first bytes of a digest of "u".
  expect(speaker.text).toContain("bgp router-id 11.254.147.94\n");
});

test("what fails is told once, and tried again later and later", async () => {
  const { voice, speaker, events, later, said } = rig();
  speaker.trouble = new SelvedgeError({ kind: "speaker" }, "FRR: there is no /usr/lib/frr/zebra");
  await voice.pass();
  later(999);
  speaker.trouble = undefined;
  await voice.pass();
  expect(voice.trouble).toBe("FRR: there is no /usr/lib/frr/zebra");
  expect(said()).toBeNull();
  later(1);
  await voice.pass();
  expect(voice.trouble).toBeUndefined();
  expect(said()).toEqual(["network 10.66.0.0/16"]);
  expect(events.map(({ event }) => event)).toEqual(["speaker-failed", "speaker-told"]);
});

test("sessions are by address; none while FRR does not answer", async () => {
  const { voice, speaker } = rig();
  const session = { address: address("192.0.2.1"), state: "Established", upMs: 1, received: 0, sent: 1 };
  speaker.established = [session];
  await voice.pass();
  expect(await voice.sessions()).toEqual(new Map([["192.0.2.1", session]]));
  speaker.trouble = new SelvedgeError({ kind: "speaker" }, "FRR: vtysh did not end in 10000 ms");
  expect(await voice.sessions()).toEqual(new Map());
});

test("where no router is called FRR ends", async () => {
  const { voice, speaker } = rig(undefined, [sampleRouter({ bgp: sampleBgp({ addresses: [] }) })]);
  await speaker.follow("router bgp 1\n");
  await voice.pass();
  expect(speaker.text).toBeUndefined();
});

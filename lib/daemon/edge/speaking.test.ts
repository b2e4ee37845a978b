import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { parseConfig } from "#lib/config/config.ts";
import type { SecretReference } from "#lib/config/edge.ts";
import { sampleBgp, sampleRouter } from "#lib/edge/sample-router.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { fakeSpeaker } from "#lib/frr/fake.ts";
import type { Event } from "#lib/log.ts";
import type { Calling } from "./called.ts";
import { type SpeakingCore, speaking } from "./speaking.ts";

const CONFIG = parseConfig(`
pools:
  - {name: default, ranges: [[{subnet: 10.66.0.0/16}]]}
  - {name: media, ranges: [[{subnet: 10.67.0.0/20}]]}
networks: [{name: std, expose: true}, {name: media, pool: media}]
edge: {routers: []}
`);
const SUBNETS = { default: prefix("10.66.0.0/16"), media: prefix("10.67.0.0/20") };
/** A router of the configuration. */
const called = (bgp: Partial<Router["bgp"]> = {}, name = "edge1"): Router =>
  ({ ...sampleRouter({ name }), bgp: { ...sampleBgp(), ...bgp } }) as Router;
const ROUTER = called();

type Router = Calling["router"];

function rig(cluster?: object, routers: readonly Router[] = [ROUTER], resources?: { readonly isTold: boolean }) {
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
    ...(resources && { resources }),
  } as unknown as SpeakingCore;
  const config = { speaker: { port: 179, holdSeconds: 9, directory: "/d", programs: "/p" } };
  const secrets = new Map<string, string | SelvedgeError>();
  const secretFrom = async ({ file = "" }: SecretReference): Promise<string> => {
    const found = secrets.get(file) ?? new SelvedgeError({ kind: "config-invalid", field: file }, `no ${file}`);
    if (typeof found === "string") return found;
    throw found;
  };
  let now = routers;
  const voice = speaking(core, {
    speaker,
    config,
    routers: () => now.map((router) => ({ router, secretFrom })),
    random: () => 1,
  });
  return {
    speaker,
    voice,
    events,
    secrets,
    become: (...next: readonly Router[]) => {
      now = next;
    },
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
  expect(voice.troubleWith("edge1")).toBe("FRR: there is no /usr/lib/frr/zebra");
  expect(said()).toBeNull();
  later(1);
  await voice.pass();
  expect(voice.troubleWith("edge1")).toBeUndefined();
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

test("what an earlier daemon had FRR say stays until Kubernetes has told which routers there are", async () => {
  const resources = { isTold: false };
  const { voice, speaker } = rig(undefined, [], resources);
  await speaker.follow("of an earlier daemon");
  await voice.pass();
  expect(speaker.text).toBe("of an earlier daemon");
  resources.isTold = true;
  await voice.pass();
  expect(speaker.text).toBeUndefined();
});

test("of a router whose password cannot be had FRR goes on with what it was told last, and of the others with all", async () => {
  const { voice, speaker, secrets, events, become, later } = rig();
  const [file, other] = [{ file: "/one" }, { file: "/other" }];
  const second = called({ addresses: [address("192.0.2.2")], password: other }, "edge2");
  become(ROUTER, second);
  await voice.pass();
  const neighbours = () => speaker.text?.match(/neighbor \S+ (remote-as|password) \S+/g);
  expect(neighbours()).toEqual(["neighbor 192.0.2.1 remote-as 65000"]);
  expect([voice.troubleWith("edge1"), voice.troubleWith("edge2")]).toEqual([undefined, "no /other"]);
  await voice.pass();
  expect(events.filter(({ event }) => event === "speaker-failed")).toHaveLength(1);
  secrets.set("/other", "s3cret");
  later(1_000);
  await voice.pass();
  expect(voice.troubleWith("edge2")).toBeUndefined();
  const both = [...(neighbours() ?? [])];
  expect(both).toContain("neighbor 192.0.2.2 password s3cret");
  // Its settings are others, and cannot be.
  become(ROUTER, called({ addresses: [address("192.0.2.3")], password: file }, "edge2"));
  await voice.pass();
  expect([neighbours(), voice.troubleWith("edge2")]).toEqual([both, "no /one"]);
  // They are put right: nobody waits.
  become(ROUTER, called({ addresses: [address("192.0.2.3")], password: other }, "edge2"));
  await voice.pass();
  expect(neighbours()).toContain("neighbor 192.0.2.3 password s3cret");
  become();
  await voice.pass();
  expect(speaker.text).toBeUndefined();
  become(ROUTER);
  await voice.pass();
  expect(neighbours()).toEqual(["neighbor 192.0.2.1 remote-as 65000"]);
});

test("while nobody can tell a password, as after a start with the API server away, FRR is left as it is", async () => {
  const { voice, speaker, secrets, become, later } = rig();
  const password = { file: "/one" };
  become(ROUTER, called({ password }, "edge2"));
  secrets.set("/one", new SelvedgeError({ kind: "not-ready" }, "it is away"));
  await speaker.follow("as an earlier daemon had it");
  await voice.pass();
  expect(speaker.text).toBe("as an earlier daemon had it");
  expect(voice.troubleWith("edge1")).toBe("it is away");
  secrets.set("/one", "s3cret");
  later(1_000);
  await voice.pass();
  expect(speaker.text).toContain("password s3cret");
  expect(voice.troubleWith("edge1")).toBeUndefined();
});

test("where FRR does not run then, as after a reboot, it is told of the routers that can be called, and of the rest later", async () => {
  const { voice, speaker, secrets, events, become, later } = rig();
  become(ROUTER, called({ addresses: [address("192.0.2.2")], password: { file: "/one" } }, "edge2"));
  secrets.set("/one", new SelvedgeError({ kind: "not-ready" }, "it is away"));
  await voice.pass();
  const neighbours = () => speaker.text?.match(/neighbor \S+ remote-as \S+/g);
  expect(neighbours()).toEqual(["neighbor 192.0.2.1 remote-as 65000"]);
  expect([voice.troubleWith("edge1"), voice.troubleWith("edge2")]).toEqual([undefined, "it is away"]);
  // It runs by now, with what this daemon told it: changes are told, too.
  become(called({ addresses: [address("192.0.2.3")] }), called({ password: { file: "/one" } }, "edge2"));
  await voice.pass();
  expect(neighbours()).toEqual(["neighbor 192.0.2.3 remote-as 65000"]);
  secrets.set("/one", "s3cret");
  later(60_000);
  await voice.pass();
  expect(neighbours()).toHaveLength(2);
  expect(events.map(({ event }) => event)).toEqual(["speaker-failed", "speaker-told", "speaker-told", "speaker-told"]);
});

test("where no router is called FRR ends, once", async () => {
  const { voice, speaker } = rig(undefined, []);
  await speaker.follow("router bgp 1\n");
  await voice.pass();
  expect(speaker.text).toBeUndefined();
  await speaker.follow("another's");
  await voice.pass();
  expect(speaker.text).toBe("another's");
});

import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { address, mac } from "#lib/address.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import { WIREGUARD_LINK } from "#lib/datapath/ways/names.ts";
import { fakeKernel } from "#lib/kernel/fake.ts";
import { memory } from "#lib/store/memory.ts";
import { type KeyFiles, openKeyring } from "./keyring.ts";
import { secrecy } from "./secrecy.ts";

const HOUR_MS = 3_600_000;
const ROTATION = { rotateHours: 1, leadSeconds: 60 };

function files(): KeyFiles & { readonly there: Set<string> } {
  const there = new Set<string>();
  let made = 0;
  return {
    there,
    make() {
      const key = `key-${++made}`;
      there.add(key);
      return key;
    },
    forget: (key) => void there.delete(key),
    has: (key) => there.has(key),
  };
}

test("a key survives the daemon, and is made anew when its file is gone", async () => {
  await using store = memory();
  const of = files();
  const open = async () =>
    openKeyring({ ...ROTATION, store, kept: (await store.load()).own, files: of, nowMs: () => 0 });
  expect((await open()).active).toBe("key-1");
  expect((await open()).active).toBe("key-1");
  of.there.clear();
  expect((await open()).active).toBe("key-2");
});

test("keys turn over one step at a time, and the old one's file goes last", async () => {
  await using store = memory();
  const of = files();
  let nowMs = 0;
  const ring = await openKeyring({ ...ROTATION, store, kept: [], files: of, nowMs: () => nowMs });
  const at = async (ms: number) => {
    nowMs = ms;
    return { turned: await ring.turn(), active: ring.active, told: [...ring.told], files: [...of.there] };
  };
  expect(await at(1)).toEqual({ turned: false, active: "key-1", told: ["key-1"], files: ["key-1"] });
  const both = ["key-2", "key-1"];
  expect(await at(HOUR_MS)).toEqual({ turned: true, active: "key-1", told: both, files: ["key-1", "key-2"] });
  expect(await at(HOUR_MS + 59_999)).toMatchObject({ turned: false });
  expect(await at(HOUR_MS + 60_000)).toEqual({ turned: true, active: "key-2", told: both, files: ["key-1", "key-2"] });
  expect(await at(HOUR_MS + 120_000)).toEqual({ turned: true, active: "key-2", told: ["key-2"], files: ["key-2"] });
});

const peer = (publicKeys: readonly string[]): NodeRecord => ({
  name: "beta",
  uid: "b",
  addresses: [address("192.0.2.2")],
  segments: [],
  ways: ["wireguard"],
  tunnelAddresses: [],
  tunnelMac: mac("02:00:00:00:00:02"),
  wireguard: { publicKeys, port: 51_830 },
  echoPort: 4_796,
  version: "1",
});

test("a peer that is heard by its new key is told of once", async () => {
  const kernel = fakeKernel();
  await using store = memory();
  const keyring = await openKeyring({ ...ROTATION, store, kept: [], files: files(), nowMs: () => 0 });
  const beta = peer(["new", "old"]);
  const endpoint = { address: address("192.0.2.2"), port: 51_830 };
  await kernel.apply(
    {},
    [
      {
        type: "link",
        at: "host",
        name: WIREGUARD_LINK,
        kind: "wireguard",
        up: true,
        alias: "selvedge way wireguard",
      } as const,
      ...["new", "old"].map(
        (publicKey) =>
          ({ type: "wireguard-peer", at: "host", link: WIREGUARD_LINK, publicKey, endpoint, allowed: [] }) as const,
      ),
    ].map((fact) => ({ do: "add", fact }) as const),
  );
  kernel.handshakes.set("old", { lastHandshakeSeconds: 10 });
  const keys = secrecy({ kernel, keyring, port: 51_830, peers: () => [beta], onFailure: () => {} });
  const end = new AbortController();
  const told: (readonly string[])[] = [];
  const running = keys.run(
    () => {},
    (names) => told.push(names),
    end.signal,
  );
  expect(keys.told).toEqual({ publicKeys: ["key-1"], port: 51_830 });
  await sleep(250);
  expect([keys.inUse(beta), told]).toEqual(["old", []]);
  kernel.handshakes.set("new", { lastHandshakeSeconds: 11 });
  for (let tries = 0; tries < 40 && told.length === 0; tries++) await sleep(50);
  await sleep(250);
  end.abort();
  await running;
  expect([keys.inUse(beta), told]).toEqual(["new", [["beta"]]]);
});

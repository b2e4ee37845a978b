import { createSocket } from "node:dgram";
import { expect, test } from "@jest/globals";
import { type Address, address } from "#lib/address.ts";
import { fc } from "../../test/support/property.ts";
import { decode, encode, SHORTEST } from "./datagram.ts";
import type { EchoOptions, OpenEcho } from "./echo.ts";
import { fakeNetwork } from "./fake.ts";
import { udpEcho } from "./udp.ts";
import { askWhole } from "./whole.ts";

const datagram = fc.record({
  kind: fc.constantFrom("question" as const, "answer" as const),
  nonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  uid: fc.stringMatching(/^[\w-]{1,64}$/),
});
test("what is written is what is read, padded or not", () =>
  fc.assert(
    fc.property(datagram, fc.nat(9_000), (value, size) => {
      const bytes = encode(value, size);
      expect(bytes.length).toBe(Math.max(size, SHORTEST));
      expect(decode(bytes)).toEqual(value);
    }),
  ));
test("no bytes make the reader fail", () =>
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expect(decode(bytes)).toBeUndefined())));
test("what begins like one but is of no kind is none", () => {
  const bytes = encode({ kind: "question", nonce: 1n, uid: "a" });
  bytes.writeUInt8(3, 4);
  expect(decode(bytes)).toBeUndefined();
});

/** The contract: two nodes, the second of which knows the first or not. */
interface Pair {
  readonly open: (which: "asking" | "asked") => OpenEcho;
  readonly to: Address;
}
const pairs: [string, () => Pair][] = [
  ["udp over IPv4", () => ({ open: () => udpEcho, to: address("127.0.0.1") })],
  ["udp over IPv6", () => ({ open: () => udpEcho, to: address("::1") })],
  [
    "memory",
    () => {
      const network = fakeNetwork();
      const to = address("192.0.2.2");
      return { open: (which) => network.echoOf([which === "asked" ? to : address("192.0.2.1")]), to };
    },
  ],
];
test("there are pairs", () => expect(pairs.length).toBeGreaterThan(0));

const PORTS = { asking: 47_961, asked: 47_962, nobody: 47_963 };

test.each(pairs)("%s: an answer for the right node from a known one, and none else", async (_name, pair) => {
  const { open, to } = pair();
  const answers: bigint[] = [];
  const refusals: bigint[] = [];
  let knows = true;
  const options = { isKnown: () => knows, onAnswer: () => {}, onRefusal: () => {} } satisfies Partial<EchoOptions>;
  await using _asked = await open("asked")({ ...options, port: PORTS.asked, uid: "b-1" });
  await using asking = await open("asking")({
    ...options,
    port: PORTS.asking,
    uid: "a-1",
    onAnswer: (nonce) => answers.push(nonce),
    onRefusal: (nonce) => refusals.push(nonce),
  });
  const arrived = async () => {
    for (let tries = 0; tries < 20 && answers.length === 0; tries++) await new Promise((r) => setTimeout(r, 5));
    return answers.splice(0);
  };
  asking.ask({ address: to, port: PORTS.asked, uid: "b-1" }, 7n);
  expect(await arrived()).toEqual([7n]);
  asking.ask({ address: to, port: PORTS.asked, uid: "b-2" }, 8n);
  expect(await arrived()).toEqual([]);
  asking.askClosely({ address: to, port: PORTS.asked, uid: "b-1" }, 10n);
  expect(await arrived()).toEqual([10n]);
  // Nobody listens there, and the machine says so.
  asking.askClosely({ address: to, port: PORTS.nobody, uid: "b-1" }, 11n);
  expect(await arrived()).toEqual([]);
  expect(refusals).toEqual([11n]);
  knows = false;
  asking.ask({ address: to, port: PORTS.asked, uid: "b-1" }, 9n);
  expect(await arrived()).toEqual([]);
});

test("a port that is taken is named", async () => {
  const socket = createSocket({ type: "udp4" });
  await new Promise<void>((resolve) => socket.bind(PORTS.asked, () => resolve()));
  try {
    await expect(
      udpEcho({ port: PORTS.asked, uid: "a", isKnown: () => true, onAnswer: () => {}, onRefusal: () => {} }),
    ).rejects.toMatchObject({ failure: { kind: "config-invalid", field: "cluster.probe.port" } });
  } finally {
    socket.close();
  }
});

test("nobody is reached where no route leads, and that is all", async () => {
  const heard: bigint[] = [];
  await using asking = await udpEcho({
    port: 0,
    uid: "a-1",
    isKnown: () => true,
    onAnswer: (nonce) => void heard.push(nonce),
    onRefusal: (nonce) => void heard.push(nonce),
  });
  // Broadcast and reserved addresses are refused at once, as an address without a route is.
  for (const to of ["255.255.255.255", "240.0.0.1"] as const) {
    asking.ask({ address: address(to), port: 9, uid: "b-1" }, 1n);
    asking.askClosely({ address: address(to), port: 9, uid: "b-1" }, 2n);
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(heard).toEqual([]);
});

test("on the loopback the largest packet passes whole, and one byte more is refused", async () => {
  const port = 47_963;
  await using _asked = await udpEcho({
    port,
    uid: "b-1",
    isKnown: () => true,
    onAnswer: () => {},
    onRefusal: () => {},
  });
  for (const to of ["127.0.0.1", "::1"] as const) {
    const ask = (packetBytes: number, uid = "b-1") =>
      askWhole({ address: address(to), port, uid, packetBytes, patienceMs: 200 });
    expect([to, await ask(1_500)]).toEqual([to, "passes"]);
    // The loopback's MTU is 65,536, and UDP over IPv4 ends before it.
    expect([to, await ask(65_550)]).toEqual([to, "too-large"]);
    expect([to, await ask(1_500, "another")]).toEqual([to, "lost"]);
  }
});

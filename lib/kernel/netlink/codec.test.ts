import { expect, test } from "@jest/globals";
import { fromBytes, macFromBytes } from "#lib/address.ts";
import { fc } from "../../../test/support/property.ts";
import { attrs, numbered, repeated } from "./attr.ts";
import { be16, be32, type Codec, ether, ip, raw, text, u8, u16, u32, u64 } from "./codec.ts";
import { linkAnswer, linkRequest, vethPeerBody, vethPeerData } from "./link.ts";
import { eachMessage, NLM_F, readError, writeMessage } from "./message.ts";
import { neighbourMessage } from "./neighbour.ts";
import { routeMessage } from "./route.ts";
import { ruleMessage } from "./rule.ts";
import { struct } from "./struct.ts";
import { htbGlobal, htbParms, tbfParms, tcMessage, u32Key, u32Selector } from "./tc.ts";
import { writer } from "./writer.ts";

const bytesOf = <T>(codec: Codec<T>, value: T): Uint8Array => {
  const to = writer();
  codec.write(to, value);
  return to.bytes();
};

const u32s = fc.nat(0xffffffff);
const word = fc.stringMatching(/^[a-z0-9]{1,15}$/);
const table = attrs({
  small: [1, u8],
  short: [2, u16],
  port: [3, be16],
  number: [4, u32],
  order: [5, be32],
  long: [6, u64],
  name: [7, text],
  address: [8, ip],
  mac: [9, ether],
  bytes: [10, raw],
  nest: [11, attrs({ id: [1, u32], names: [2, repeated(text)] })],
  settings: [12, numbered(u32)],
});
const values = fc.record(
  {
    small: fc.nat(255),
    short: fc.nat(65_535),
    port: fc.nat(65_535),
    number: u32s,
    order: u32s,
    long: fc.bigInt(0n, 2n ** 64n - 1n),
    name: word,
    address: fc
      .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
      .map(fromBytes),
    mac: fc.uint8Array({ minLength: 6, maxLength: 6 }).map(macFromBytes),
    bytes: fc.uint8Array({ maxLength: 40 }),
    nest: fc.record({ id: u32s, names: fc.array(word, { maxLength: 4 }) }, { requiredKeys: [] }),
    settings: fc.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), u32s)).map((pairs) => new Map(pairs)),
  },
  { requiredKeys: [] },
);

test("attributes that are written are read", () =>
  fc.assert(fc.property(values, (given) => expect(table.get(table.put(given))).toEqual(given))));

const layouts = { linkAnswer, linkRequest, neighbourMessage, routeMessage, ruleMessage, tcMessage };
test.each(Object.entries(layouts))("no bytes crash the reader of %s", (_, layout) =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        layout.read(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 500 },
  ),
);

test("no bytes crash the reader of datagrams", () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        for (const message of eachMessage(bytes)) readError(message);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  ));

test("requests travel together and keep their order", () => {
  const to = writer(8);
  writeMessage(to, { what: "a", type: 18, flags: 0, body: Uint8Array.of(1, 2, 3) }, 7);
  writeMessage(to, { what: "b", type: 24, flags: NLM_F.CREATE, body: Uint8Array.of(4) }, 8, NLM_F.ACK);
  const read = [...eachMessage(to.bytes())].map(({ type, flags, sequence, body }) => ({
    type,
    flags,
    sequence,
    body: [...body],
  }));
  expect(read).toEqual([
    { type: 18, flags: 1, sequence: 7, body: [1, 2, 3] },
    { type: 24, flags: 0x405, sequence: 8, body: [4] },
  ]);
});

test("an error's text is read behind a request that is echoed and behind one that is not", () => {
  const said = attrs({ text: [1, text] }).put({ text: "No." });
  const echoed = Uint8Array.from([
    ...bytesOf(u32, 0xffffffea),
    ...bytesOf(struct({ length: u32, type: u16, flags: u16, sequence: u32, port: u32, body: u32 }), { length: 20 }),
    ...said,
  ]);
  const capped = Uint8Array.from([...bytesOf(u32, 0xffffffea), ...new Uint8Array(16), ...said]);
  const message = { type: 2, sequence: 1, port: 1 };
  expect(readError({ ...message, flags: NLM_F.ACK_TLVS, body: echoed })).toEqual({ code: 22, text: "No." });
  expect(readError({ ...message, flags: NLM_F.ACK_TLVS | NLM_F.CAPPED, body: capped })).toEqual({
    code: 22,
    text: "No.",
  });
  expect(readError({ ...message, flags: 0, body: echoed })).toEqual({ code: 22, text: undefined });
});

test("a veth pair as the bytes that the kernel takes", () => {
  const peer = vethPeerBody({ index: 9 }, { name: "sv1" });
  const body = linkRequest.body(
    { index: 8, flags: 1, change: 1 },
    { name: "e", info: { kind: "veth", data: vethPeerData(peer) } },
  );
  expect(Buffer.from(body).toString("hex")).toBe(
    [
      "00000000 08000000 01000000 01000000", // struct ifinfomsg
      "0600 0300 6500 0000", // IFLA_IFNAME "e"
      "3000 1280", // IFLA_LINKINFO, nested
      "0900 0100 7665746800 000000", // IFLA_INFO_KIND "veth"
      "2000 0280", // IFLA_INFO_DATA, nested
      "1c00 0100 00000000 09000000 00000000 00000000 0800 0300 73763100", // VETH_INFO_PEER
    ]
      .join("")
      .replaceAll(" ", ""),
  );
});

test("structures have the kernel's sizes", () => {
  expect(tbfParms.size).toBe(36);
  expect(htbParms.size).toBe(44);
  expect(htbGlobal.size).toBe(20);
  expect(u32Key.size).toBe(16);
});

test("a selector carries as many keys as it has", () => {
  const keys = [
    { mask: 0xffffffff, value: 0x02000000, at: -8 },
    { mask: 0xffff0000, value: 0x00010000, at: -4 },
  ];
  const to = writer();
  u32Selector.write(to, { flags: 1, keys });
  expect(to.bytes().length).toBe(16 + 2 * 16);
  expect(u32Selector.read(to.bytes())).toEqual({ flags: 1, keys });
});

test("memory that is used again is zero again", () => {
  const to = writer(4);
  to.put(Uint8Array.of(1, 2, 3, 4));
  to.clear();
  to.reserve(4);
  expect([...to.written()]).toEqual([0, 0, 0, 0]);
});

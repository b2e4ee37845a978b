import { expect, test } from "@jest/globals";
import { fc } from "../../test/support/property.ts";
import { exchange } from "./exchange.ts";
import { encodeHeaders } from "./hpack.ts";
import { concat } from "./message.ts";

/** A frame as a server sends it. */
const frame = (type: number, flags: number, stream: number, payload: Uint8Array | number[]): Uint8Array => {
  const bytes = Uint8Array.from(payload);
  const n = bytes.length;
  return concat([Uint8Array.of(n >> 16, n >> 8, n, type, flags, 0, 0, 0, stream), bytes]);
};
const [DATA, HEADERS, RST, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION] = [0, 1, 3, 4, 6, 7, 8, 9];
const opened = frame(HEADERS, 4, 1, encodeHeaders([[":status", "200"]]));
const message = frame(DATA, 0, 1, [0, 0, 0, 0, 2, 104, 105]);
const trailers = (status: string, text = "") =>
  frame(
    HEADERS,
    5,
    1,
    encodeHeaders([
      ["grpc-status", status],
      ["grpc-message", text],
    ]),
  );
const fresh = (bytes = 3) => exchange({ path: "/a.B/C", message: new Uint8Array(bytes), timeoutMs: 1000 });
const hi = { kind: "reply", message: Uint8Array.of(104, 105) };

const cases: [string, Uint8Array[], object | undefined][] = [
  ["a reply", [frame(SETTINGS, 0, 0, []), opened, message, trailers("0")], hi],
  [
    "an unknown frame and a ping between",
    [opened, frame(200, 0, 0, [1]), frame(PING, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]), message, trailers("0")],
    hi,
  ],
  ["a padded message", [opened, frame(DATA, 8, 1, [2, 0, 0, 0, 0, 2, 104, 105, 0, 0]), trailers("0")], hi],
  [
    "a status in trailers only",
    [
      frame(
        HEADERS,
        5,
        1,
        encodeHeaders([
          [":status", "200"],
          ["grpc-status", "5"],
          ["grpc-message", "no%20such%20thing"],
        ]),
      ),
    ],
    { kind: "status", status: 5, message: "no such thing" },
  ],
  [
    "a status after a reply",
    [opened, message, trailers("13", "b%C3%B6se")],
    { kind: "status", status: 13, message: "böse" },
  ],
  ["no gRPC at all", [frame(HEADERS, 5, 1, encodeHeaders([[":status", "404"]]))], { kind: "status", status: 12 }],
  ["a reset", [opened, frame(RST, 0, 1, [0, 0, 0, 7])], { kind: "broken", why: "the server reset the call (error 7)" }],
  ["a server that goes away before the call", [frame(GOAWAY, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0])], { kind: "broken" }],
  [
    "a server that goes away after it",
    [frame(GOAWAY, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0]), opened, message, trailers("0")],
    hi,
  ],
  ["half a message", [opened, frame(DATA, 0, 1, [0, 0, 0, 0, 9, 104]), trailers("0")], { kind: "broken" }],
  ["a compressed message", [opened, frame(DATA, 0, 1, [1, 0, 0, 0, 1, 104]), trailers("0")], { kind: "broken" }],
  [
    "an end without a status",
    [opened, frame(DATA, 1, 1, [0, 0, 0, 0, 0])],
    { kind: "broken", why: "no gRPC status came" },
  ],
  ["a frame that is too large", [Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1)], { kind: "broken" }],
  ["HTTP/1", [new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")], { kind: "broken" }],
  ["nothing yet", [frame(SETTINGS, 0, 0, []), opened], undefined],
];
test.each(cases)("%s", (_name, frames, outcome) => {
  const talk = fresh();
  for (const each of frames) talk.receive(each);
  if (outcome === undefined) expect(talk.outcome).toBeUndefined();
  else expect(talk.outcome).toMatchObject(outcome);
});

test.each(cases)("%s, one byte at a time", (_name, frames, outcome) => {
  const talk = fresh();
  for (const byte of concat(frames)) talk.receive(Uint8Array.of(byte));
  if (outcome === undefined) expect(talk.outcome).toBeUndefined();
  else expect(talk.outcome).toMatchObject(outcome);
});

test("a header block in pieces", () => {
  const block = encodeHeaders([
    [":status", "200"],
    ["grpc-status", "7"],
  ]);
  const talk = fresh();
  talk.receive(frame(HEADERS, 1, 1, block.subarray(0, 9)));
  talk.receive(frame(CONTINUATION, 0, 1, block.subarray(9, 12)));
  talk.receive(frame(CONTINUATION, 4, 1, block.subarray(12)));
  expect(talk.outcome).toMatchObject({ kind: "status", status: 7 });
});

test("settings and pings are acknowledged", () => {
  const talk = fresh();
  expect([...talk.receive(frame(SETTINGS, 0, 0, []))]).toEqual([0, 0, 0, 4, 1, 0, 0, 0, 0]);
  expect([...talk.receive(frame(PING, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]))].slice(9)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

/** Bytes of DATA payload in what the client sends. */
function sent(bytes: Uint8Array): number {
  let total = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    expect(length).toBeLessThanOrEqual(16_384);
    if (bytes[at + 3] === DATA) total += length;
    at += 9 + length;
  }
  return total;
}
const PREFACE = 24;

test("no more is sent than the windows allow, and the rest when they open", () => {
  const talk = fresh(100_000);
  expect(sent(talk.start.subarray(PREFACE))).toBe(65_535);
  expect(sent(talk.receive(frame(WINDOW, 0, 0, [0, 1, 0, 0])))).toBe(0);
  expect(sent(talk.receive(frame(WINDOW, 0, 1, [0, 0, 0, 100])))).toBe(100);
  // SETTINGS_INITIAL_WINDOW_SIZE moves the stream's window by the difference
  expect(sent(talk.receive(frame(SETTINGS, 0, 0, [0, 4, 0, 1, 0, 9])))).toBe(10);
  expect(sent(talk.receive(frame(WINDOW, 0, 1, [0, 1, 0, 0])))).toBe(100_005 - 65_535 - 110);
});

test("no bytes crash the client", () => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc.constantFrom(opened, message, trailers("0"), trailers("9")),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const talk = fresh();
      for (const each of parts) talk.receive(each);
      talk.closed("the end");
      expect(talk.outcome).toBeDefined();
    }),
    { numRuns: 5_000 },
  );
});

import { expect, test } from "@jest/globals";
import { messageCounter } from "./messages.ts";

const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const frame = (type: number, stream: number, payload: readonly number[]): number[] => [
  ...[0, payload.length >> 8, payload.length & 255, type, 0],
  ...[0, 0, 0, stream],
  ...payload,
];
const message = (length: number): number[] => [0, 0, 0, length >> 8, length & 255, ...new Array(length).fill(7)];
const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;

const long = message(300);
const CASES: [name: string, bytes: number[], messages: number][] = [
  ["frames without messages", [...frame(SETTINGS, 0, []), ...frame(HEADERS, 1, [1, 2, 3])], 0],
  ["an empty message", frame(DATA, 1, message(0)), 1],
  ["two in one frame", frame(DATA, 1, [...message(3), ...message(4)]), 2],
  ["one over two frames", [...frame(DATA, 1, long.slice(0, 100)), ...frame(DATA, 1, long.slice(100))], 1],
  ["its head over two frames", [...frame(DATA, 1, long.slice(0, 2)), ...frame(DATA, 1, long.slice(2))], 1],
  [
    "two streams, one within the other",
    [...frame(DATA, 1, long.slice(0, 9)), ...frame(DATA, 3, message(2)), ...frame(DATA, 1, long.slice(9))],
    2,
  ],
];
test("there are cases", () => expect(CASES.length).toBeGreaterThan(0));

test.each(CASES)("%s", (_name, bytes, messages) => {
  expect(messageCounter("server").take(Uint8Array.from(bytes))).toBe(messages);
  const byByte = messageCounter("client");
  const all = [...PREFACE, ...bytes].map((byte) => byByte.take(Uint8Array.of(byte)));
  expect(all.reduce((sum, each) => sum + each, 0)).toBe(messages);
});

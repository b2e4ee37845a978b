import { join } from "node:path";
import { expect, test } from "@jest/globals";
import protobuf from "protobufjs";
import { fc } from "../../test/support/property.ts";
import { decodeReply, encodeRequest } from "./message.ts";

const proto = protobuf.loadSync(join(import.meta.dirname, "../../proto/selvedge.proto"));
const CniRequest = proto.lookupType("selvedge.v1.CniRequest");
const CniReply = proto.lookupType("selvedge.v1.CniReply");
const text = fc.string({ unit: "grapheme" });

test("protobufjs reads what is written by hand", () => {
  const request = fc.record({
    containerId: text,
    netns: text,
    ifname: text,
    args: text,
    path: text,
    config: fc.uint8Array({ maxLength: 500 }),
    netnsInode: fc.oneof(fc.nat(), fc.constantFrom(0, 4_026_531_833, Number.MAX_SAFE_INTEGER)),
    traceparent: text,
    tracestate: text,
    allowOwnNetns: fc.boolean(),
  });
  fc.assert(
    fc.property(request, (given) => {
      const read = CniRequest.toObject(CniRequest.decode(encodeRequest(given)), { defaults: true, longs: Number });
      expect({ ...read, config: Uint8Array.from(read.config) }).toEqual(given);
    }),
  );
});

test("what protobufjs writes is read by hand", () => {
  const error = fc.record({ code: fc.integer({ min: 0, max: 0xffff_ffff }), msg: text, details: text });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), fc.option(error, { nil: undefined }), (result, given) => {
      const bytes = CniReply.encode(CniReply.create({ result, ...(given && { error: given }) })).finish();
      const read = decodeReply(Uint8Array.from(bytes));
      expect([Uint8Array.from(read.result), read.error]).toEqual([result, given]);
    }),
  );
});

test("fields of a later version are skipped", () => {
  const later = Uint8Array.of(
    0x78,
    0x96,
    0x01,
    0x7a,
    0x01,
    0x00,
    0x7d,
    1,
    2,
    3,
    4,
    0x79,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    0x0a,
    1,
    65,
  );
  expect([...decodeReply(later).result]).toEqual([65]);
});

test("no bytes crash the reader", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeReply(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 5_000 },
  );
});

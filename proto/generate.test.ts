import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import protobuf from "protobufjs";
import { FILES, generate } from "./generate.ts";
import * as pb from "./selvedge_pb.ts";

const beside = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");

test.each(Object.entries(FILES))("%s: what is committed is what it gives", (from, to) => {
  expect(generate(beside(from), from)).toBe(beside(to));
});

test("constructs that the generator does not know are refused", () => {
  const proto = (body: string) => `syntax = "proto3"; package p; ${body}`;
  expect(() => generate(proto("message M { map<string, string> a = 1; }"))).toThrow("maps and oneofs");
  expect(() => generate(proto("message M { repeated uint32 a = 1; }"))).toThrow("repeated numbers");
  expect(() => generate(proto("enum E { A = 0; }"))).toThrow("messages and services only");
});

test.each([
  ["rpc A(M) returns (M)", "reply: M }"],
  ["rpc A(M) returns (stream M)", "reply: M, streams: true }"],
  ["rpc A(stream M) returns (stream M)", "reply: M, streams: true, asksStream: true }"],
])("%s", (rpc, row) => {
  expect(generate(`syntax = "proto3"; package p; message M {} service S { ${rpc}; }`)).toContain(row);
});

const { root } = protobuf.parse(beside("selvedge.proto"), { keepCase: false });
const messages = (root.lookup("selvedge.v1") as protobuf.Namespace).nestedArray
  .filter((member) => member instanceof protobuf.Type)
  .map((type) => type.name);

/** Any value that protobufjs takes for a message of this type. */
function anyOf(type: protobuf.Type): fc.Arbitrary<Record<string, unknown>> {
  const scalars: Record<string, fc.Arbitrary<unknown>> = {
    string: fc.string({ unit: "grapheme" }),
    bytes: fc.uint8Array(),
    bool: fc.boolean(),
    uint32: fc.nat({ max: 0xffff_ffff }),
    uint64: fc.maxSafeNat(),
  };
  const fields = type.fieldsArray.map((field): [string, fc.Arbitrary<unknown>] => {
    const one = scalars[field.type] ?? anyOf(root.lookupType(`selvedge.v1.${field.type}`));
    return [field.name, field.repeated ? fc.array(one, { maxLength: 3 }) : one];
  });
  return fc.record(Object.fromEntries(fields), {
    requiredKeys: type.fieldsArray.filter((f) => f.repeated || f.type in scalars).map((f) => f.name),
  });
}

interface AnyCodec {
  encode(message: object): Uint8Array;
  decode(bytes: Uint8Array): object;
}

const codecs = pb as unknown as Record<string, AnyCodec>;

test("the .proto has messages", () => expect(messages.length).toBeGreaterThan(20));

test.each(messages)("%s: what is written is what is read, here and by protobufjs", (name) => {
  const codec = codecs[name] as AnyCodec;
  const reference = root.lookupType(`selvedge.v1.${name}`);
  fc.assert(
    fc.property(anyOf(reference), (value) => {
      const ours = codec.encode(value);
      const theirs = reference.encode(value).finish();
      const told = (bytes: Uint8Array) =>
        reference.toObject(reference.decode(bytes), { longs: Number, bytes: Array, defaults: true });
      expect(told(ours)).toEqual(told(theirs));
      expect(codec.decode(theirs)).toEqual(codec.decode(ours));
      expect(reference.toObject(reference.fromObject(codec.decode(ours)), { longs: Number, bytes: Array })).toEqual(
        reference.toObject(reference.fromObject(value), { longs: Number, bytes: Array }),
      );
    }),
    { numRuns: 50 },
  );
});

test.each(messages)("%s: no bytes do more than throw an Error", (name) => {
  const codec = codecs[name] as AnyCodec;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        codec.decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
  );
});

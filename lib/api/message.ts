/**
 * CniRequest and CniReply of proto/selvedge.proto in protobuf's wire format, by hand: the plugin reads and writes just
 * these two, and a library would cost more time than everything else that it does.
 */
import type { CniError, Reply, Request } from "#lib/cni/types.ts";

/** Wire types (protobuf.dev, encoding). */
const VARINT = 0;
const BYTES = 2;

export function encodeRequest(request: Request): Uint8Array {
  const parts: Uint8Array[] = [];
  const encoder = new TextEncoder();
  const bytes = (field: number, value: Uint8Array): void => {
    if (value.length > 0) parts.push(varint(field * 8 + BYTES), varint(value.length), value);
  };
  const text = (field: number, value: string): void => bytes(field, encoder.encode(value));
  const number = (field: number, value: number): void => {
    if (value > 0) parts.push(varint(field * 8 + VARINT), varint(value));
  };
  text(1, request.containerId);
  text(2, request.netns);
  text(3, request.ifname);
  text(4, request.args);
  text(5, request.path);
  bytes(6, request.config);
  number(7, request.netnsInode);
  text(8, request.traceparent);
  number(9, request.allowOwnNetns ? 1 : 0);
  text(10, request.tracestate);
  return concat(parts);
}

/** @throws RangeError for bytes that are no CniReply */
export function decodeReply(message: Uint8Array): Reply {
  let result: Uint8Array = new Uint8Array();
  let error: CniError | undefined;
  for (const { field, value } of fieldsOf(message)) {
    if (field === 1) result = bytesOf(value);
    else if (field === 2) error = decodeError(bytesOf(value));
  }
  return error === undefined ? { result } : { result, error };
}

function decodeError(message: Uint8Array): CniError {
  let [code, msg, details] = [0, "", ""];
  for (const { field, value } of fieldsOf(message)) {
    if (field === 1) code = typeof value === "number" ? value : 0;
    else if (field === 2) msg = new TextDecoder().decode(bytesOf(value));
    else if (field === 3) details = new TextDecoder().decode(bytesOf(value));
  }
  return { code, msg, details };
}

/** Fields in their order; those that we do not know are skipped by their wire type. */
function* fieldsOf(message: Uint8Array): Generator<{ field: number; value: number | Uint8Array }> {
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined || scale > 2 ** 63) throw new RangeError("malformed number in a message");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = next();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (wire === VARINT) {
      yield { field, value: next() };
      continue;
    }
    const length = wire === BYTES ? next() : wire === 1 ? 8 : wire === 5 ? 4 : Number.NaN;
    if (!(at + length <= message.length)) throw new RangeError("malformed field in a message");
    at += length;
    yield { field, value: message.subarray(at - length, at) };
  }
}

function bytesOf(value: number | Uint8Array): Uint8Array {
  if (typeof value === "number") throw new RangeError("a number in place of bytes in a message");
  return value;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest > 127 ? (rest % 128) + 128 : rest);
    if (rest <= 127) return Uint8Array.from(bytes);
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

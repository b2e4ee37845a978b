/** Bodies of answers, within bounds. */
import type { Readable } from "node:stream";
import { unreached } from "./unreached.ts";

/** A body, and who sends it. */
export interface Body {
  readonly server: URL;
  readonly stream: Readable;
}

/** @throws SelvedgeError not-ready: it is larger than that, or no JSON, or the connection was lost */
export async function wholeJson({ server, stream }: Body, mostBytes: number): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of stream as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > mostBytes) throw new Error(`an answer is larger than ${mostBytes} bytes`);
      parts.push(part);
    }
    return JSON.parse(Buffer.concat(parts).toString());
  } catch (cause) {
    throw unreached(server, cause);
  }
}

const NEWLINE = 0x0a;

/**
 * Documents, a line each, as they come: those that came together together. What is after the last end of a line is none.
 * @throws SelvedgeError not-ready: one is longer than that, or no JSON, or the connection was lost
 */
export async function* jsonLines({ server, stream }: Body, mostBytes: number): AsyncGenerator<unknown[]> {
  let begun: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of stream as AsyncIterable<Buffer>) {
      const documents: unknown[] = [];
      let from = 0;
      for (let end = part.indexOf(NEWLINE); end >= 0; end = part.indexOf(NEWLINE, from)) {
        documents.push(JSON.parse(Buffer.concat([...begun, part.subarray(from, end)]).toString()));
        begun = [];
        bytes = 0;
        from = end + 1;
      }
      if (from < part.length) begun.push(part.subarray(from));
      bytes += part.length - from;
      if (bytes > mostBytes) throw new Error(`a line of an answer is longer than ${mostBytes} bytes`);
      if (documents.length > 0) yield documents;
    }
  } catch (cause) {
    throw unreached(server, cause);
  }
}

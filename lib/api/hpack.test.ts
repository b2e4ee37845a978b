import { expect, test } from "@jest/globals";
import { fc } from "../../test/support/property.ts";
import { decodeHeaders, encodeHeaders } from "./hpack.ts";

const hex = (text: string) =>
  Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const examples: [string, string, [string, string][]][] = [
  [
    "C.2.1 literal with indexing",
    "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
    [["custom-key", "custom-header"]],
  ],
  ["C.2.2 literal without indexing", "040c 2f73 616d 706c 652f 7061 7468", [[":path", "/sample/path"]]],
  ["C.2.3 never indexed", "1008 7061 7373 776f 7264 0673 6563 7265 74", [["password", "secret"]]],
  ["C.2.4 indexed", "82", [[":method", "GET"]]],
  [
    "C.4.1 Huffman",
    "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
    [
      [":method", "GET"],
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "www.example.com"],
    ],
  ],
  [
    "C.6.1 Huffman response",
    "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
    [
      [":status", "302"],
      ["cache-control", "private"],
      ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
      ["location", "https://www.example.com"],
    ],
  ],
  ["a size update first", "2088", [[":status", "200"]]],
];
test.each(examples)("RFC 7541 %s", (_name, block, headers) => {
  expect([...decodeHeaders(hex(block))]).toEqual(headers);
});

test.each([
  ["an entry of the dynamic table", "be"],
  ["index 0", "80"],
  ["a string that ends early", "000a61"],
  ["an endless integer", "ffffffffffffff7f"],
  ["wrong Huffman padding", "00016182f100"],
])("%s is refused", (_name, block) => {
  expect(() => decodeHeaders(hex(block))).toThrow(RangeError);
});

const name = fc.stringMatching(/^[a-z-]{1,126}$/);
const value = fc.stringMatching(/^[ -~]{0,126}$/);
test("what is encoded is what is decoded", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([n]) => n }), (headers) => {
      expect([...decodeHeaders(encodeHeaders(headers))]).toEqual(headers);
    }),
  );
});
test("no bytes crash the decoder", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeHeaders(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 5_000 },
  );
});

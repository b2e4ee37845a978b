/**
 * Header blocks of HTTP/2 (RFC 7541) as far as a client needs them that forbids a dynamic table
 * (SETTINGS_HEADER_TABLE_SIZE 0): decoding of static entries, literals and Huffman strings; encoding of plain literals.
 */

/** RFC 7541, Appendix A, from index 1. Values only where the table has one. */
const STATIC = (
  ":authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|" +
  ":status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|" +
  "accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|" +
  "content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|" +
  "cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|" +
  "last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|" +
  "server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate"
).split("|");

/**
 * Decodes one header block; of a repeated name the last value stays.
 * @throws RangeError for anything malformed, and for a reference to a dynamic table
 */
export function decodeHeaders(block: Uint8Array): Map<string, string> {
  const headers = new Map<string, string>();
  let at = 0;
  const byte = (): number => {
    const value = block[at++];
    if (value === undefined) throw new RangeError("header block ends early");
    return value;
  };
  /** RFC 7541, section 5.1. */
  const integer = (first: number, bits: number): number => {
    const mask = 2 ** bits - 1;
    let value = first & mask;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      const next = byte();
      if (shift > 21) throw new RangeError("integer in header block is too large");
      value += (next & 127) << shift;
      if (next < 128) return value;
    }
  };
  const string = (): string => {
    const first = byte();
    const length = integer(first, 7);
    if (at + length > block.length) throw new RangeError("string in header block ends early");
    const bytes = block.subarray(at, at + length);
    at += length;
    return first >= 128 ? unhuffman(bytes) : latin1(bytes);
  };
  const entry = (index: number): [string, string] => {
    const [name, ...value] = (STATIC[index - 1] ?? "").split("=");
    if (!name) throw new RangeError(`header block refers to entry ${index}`);
    return [name, value.join("=")];
  };
  while (at < block.length) {
    const first = byte();
    if (first >= 128) {
      headers.set(...entry(integer(first, 7)));
    } else if (first >= 32 && first < 64) {
      integer(first, 5); // a size update: it can only be 0
    } else {
      const index = integer(first, first >= 64 ? 6 : 4);
      const name = index === 0 ? string() : entry(index)[0];
      headers.set(name, string());
    }
  }
  return headers;
}

/**
 * Plain literals that never enter a table (RFC 7541, section 6.2.2). Names and values are ASCII of up to 126 bytes, so
 * that every byte of the block, lengths included, is a letter of one string: the engine encodes that at once.
 * @throws RangeError beyond
 */
export function encodeHeaders(headers: readonly (readonly [string, string])[]): Uint8Array {
  let block = "";
  for (const [name, value] of headers) {
    if (name.length > 126 || value.length > 126) throw new RangeError(`header ${name} is too long`);
    block += `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`;
  }
  return new TextEncoder().encode(block);
}

/**
 * RFC 7541, Appendix B: the octets whose codes have 5 bits, 6 bits and so on to 30, in the order of their codes. The code
 * is canonical (within one length, codes ascend with the octets), so that this is all there is to know.
 */
const BY_LENGTH = [
  "012aceiost",
  " %-./3456789=A_bdfghlmnpru",
  ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
  "&*,;XZ",
  "",
  '!"()?',
  "'+|",
  "#>",
  "\x00$@[]~",
  "^}",
  "<`{",
  "",
  "",
  "",
  "\\\xc3\xd0",
  "\x80\x82\x83\xa2\xb8\xc2\xe0\xe2",
  "\x99\xa1\xa7\xac\xb0\xb1\xb3\xd1\xd8\xd9\xe3\xe5\xe6",
  "\x81\x84\x85\x86\x88\x92\x9a\x9c\xa0\xa3\xa4\xa9\xaa\xad\xb2\xb5\xb9\xba\xbb\xbd\xbe\xc4\xc6\xe4\xe8\xe9",
  "\x01\x87\x89\x8a\x8b\x8c\x8d\x8f\x93\x95\x96\x97\x98\x9b\x9d\x9e\xa5\xa6\xa8\xae\xaf\xb4\xb6\xb7\xbc\xbf\xc5\xe7\xef",
  "\x09\x8e\x90\x91\x94\x9f\xab\xce\xd7\xe1\xec\xed",
  "\xc7\xcf\xea\xeb",
  "\xc0\xc1\xc8\xc9\xca\xcd\xd2\xd5\xda\xdb\xee\xf0\xf2\xf3\xff",
  "\xcb\xcc\xd3\xd4\xd6\xdd\xde\xdf\xf1\xf4\xf5\xf6\xf7\xf8\xfa\xfb\xfc\xfd\xfe",
  "\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f\xdc\xf9",
  "",
  "\x0a\x0d\x16",
];
const SHORTEST = 5;

/** @throws RangeError when the bits are no code; up to seven bits of padding must be ones (section 5.2). */
function unhuffman(bytes: Uint8Array): string {
  let text = "";
  // `first` is the first code of this length.
  let [length, code, first] = [0, 0, 0];
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      first *= 2;
      if (++length < SHORTEST) continue;
      const row = BY_LENGTH[length - SHORTEST];
      if (row === undefined) throw new RangeError("no such Huffman code");
      const octet = row[code - first];
      if (octet === undefined) {
        first += row.length;
      } else {
        text += octet;
        length = code = first = 0;
      }
    }
  }
  if (length > 7 || code !== 2 ** length - 1) throw new RangeError("wrong padding after Huffman codes");
  return text;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

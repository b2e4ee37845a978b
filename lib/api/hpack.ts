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
 * RFC 7541, Appendix B: the length of each octet's code, "A" for 5 bits to "Z" for 30. The code is canonical (within
 * one length, codes ascend with the octets), so the lengths are all there is to know.
 */
const LENGTHS =
  "ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHFIBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJBKABA" +
  "BABBBACCBBBABCBAABCCCCCKGJIXPRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRSVVPORSRU" +
  "VVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVSVWVVWWWWWXWWWWWV";

/** For each length: the first code of that length, and the octets in the order of their codes. Built on first use. */
let byLength: { first: number; octets: number[] }[] | undefined;

function codes(): { first: number; octets: number[] }[] {
  const table = Array.from({ length: 31 }, () => ({ first: 0, octets: [] as number[] }));
  for (let octet = 0; octet < 256; octet++) table[LENGTHS.charCodeAt(octet) - 60]?.octets.push(octet);
  let code = 0;
  for (const row of table) {
    row.first = code *= 2;
    code += row.octets.length;
  }
  return table;
}

/** @throws RangeError when the bits are no code; up to seven bits of padding must be ones (section 5.2). */
function unhuffman(bytes: Uint8Array): string {
  byLength ??= codes();
  let [text, code, length] = ["", 0, 0];
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      const row = byLength[++length];
      if (row === undefined) throw new RangeError("no such Huffman code");
      const octet = row.octets[code - row.first];
      if (octet === undefined) continue;
      text += String.fromCharCode(octet);
      [code, length] = [0, 0];
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

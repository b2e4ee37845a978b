/** Version and uid of an object as one short text: they are kept of hundreds of thousands. */

/** A uid as the API server makes them (RFC 9562 section 4); whatever else it may be stays as it is. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** The bytes of a uuid as characters, one for each. */
const BYTES = 16;
const PLACES = [8, 12, 16, 20];

/** Joined, not concatenated, which would keep the parts in memory beside the whole. */
export const markOf = (version: string, uid: string): string =>
  (UUID.test(uid) ? [version, "=", bytesOf(uid)] : [version, " ", uid]).join("");

export const versionIn = (mark: string): string => mark.slice(0, mark.search(/[= ]/));

export function uidIn(mark: string): string {
  const at = mark.search(/[= ]/);
  const rest = mark.slice(at + 1);
  if (mark[at] !== "=" || rest.length !== BYTES) return rest;
  const hex = Buffer.from(rest, "latin1").toString("hex");
  return [0, ...PLACES].map((from, i) => hex.slice(from, PLACES[i])).join("-");
}

const bytesOf = (uuid: string): string => Buffer.from(uuid.replaceAll("-", ""), "hex").toString("latin1");

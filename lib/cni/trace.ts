/** W3C Trace Context as the runtime hands it on in the environment. Malformed context is dropped, never refused. */

/** The header if it is valid (Trace Context level 1, section 3.2), else empty. */
export function traceparentOf(text: string): string {
  const parts = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text);
  if (parts === null) return "";
  const [, version, trace = "", span = "", , rest] = parts;
  const versionKnown = version === "00" ? rest === undefined : version !== "ff";
  return versionKnown && /[1-9a-f]/.test(trace) && /[1-9a-f]/.test(span) ? text : "";
}

/** Section 3.3: at most 512 printable characters, and nothing without a valid traceparent. */
export function tracestateOf(traceparent: string, text: string): string {
  return traceparentOf(traceparent) !== "" && text.length <= 512 && /^[\x20-\x7e\t]*$/.test(text) ? text : "";
}

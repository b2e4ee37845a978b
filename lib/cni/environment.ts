/** The CNI_* environment (SPEC 1.1.0, section "Parameters"), with the checks of the reference's pkg/skel and pkg/utils. */
import { SelvedgeError } from "#lib/errors.ts";
import { traceparentOf, tracestateOf } from "./trace.ts";
import { type Environment, VERBS, type Verb } from "./types.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

/** What skel demands of each verb. Our own IPAM needs no CNI_PATH, but a runtime that leaves it out is broken elsewhere too. */
const REQUIRED = {
  ADD: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
  DEL: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"],
  CHECK: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
  GC: ["CNI_PATH"],
  STATUS: ["CNI_PATH"],
  VERSION: [],
} as const satisfies Record<Verb, readonly string[]>;

/** @throws SelvedgeError environment-invalid naming every missing variable at once, or the malformed one */
export function parseEnvironment(variables: Variables): Environment {
  const of = (name: string): string => variables[name] ?? "";
  const command = of("CNI_COMMAND");
  const verb = VERBS.find((known) => known === command);
  if (verb === undefined) {
    if (command === "") throw missing(["CNI_COMMAND"]);
    throw malformed("CNI_COMMAND", `unknown CNI_COMMAND: ${command}`, `It is one of ${VERBS.join(", ")}.`);
  }
  const absent = REQUIRED[verb].filter((name) => of(name) === "");
  if (absent.length > 0) throw missing(absent);
  const named = verb === "ADD" || verb === "DEL" || verb === "CHECK";
  const override = of("CNI_NETNS_OVERRIDE");
  return {
    verb,
    containerId: named ? containerId(of("CNI_CONTAINERID")) : "",
    netns: named ? of("CNI_NETNS") : "",
    ifname: named ? interfaceName(of("CNI_IFNAME")) : "",
    args: of("CNI_ARGS"),
    path: of("CNI_PATH"),
    allowOwnNetns: override === "1" || override.toUpperCase() === "TRUE",
    traceparent: traceparentOf(of("TRACEPARENT")),
    tracestate: tracestateOf(of("TRACEPARENT"), of("TRACESTATE")),
  };
}

/** Container ids and network names have one alphabet (pkg/utils, cniValidNameChars). */
export const isName = (text: string): boolean => /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(text);

/** @throws SelvedgeError environment-invalid */
export function containerId(text: string): string {
  if (isName(text)) return text;
  throw malformed("CNI_CONTAINERID", "invalid characters in containerID", text);
}

/**
 * pkg/utils ValidateInterfaceName: what the kernel takes (net/core/dev.c, dev_valid_name), and no colon.
 * @throws SelvedgeError environment-invalid
 */
function interfaceName(text: string): string {
  if (text.length > 15 || new TextEncoder().encode(text).length > 15)
    throw malformed("CNI_IFNAME", "interface name is too long", `${JSON.stringify(text)} has more than 15 bytes`);
  if (text === "." || text === "..") throw malformed("CNI_IFNAME", "interface name is . or ..", text);
  if (text === "" || /[/:\s\u0085]/.test(text))
    throw malformed("CNI_IFNAME", "interface name contains / or : or whitespace characters", JSON.stringify(text));
  return text;
}

function missing(variables: readonly string[]): SelvedgeError {
  const message = `required env variables [${variables.join(",")}] missing`;
  return new SelvedgeError({ kind: "environment-invalid", variables }, message);
}

function malformed(variable: string, message: string, hint: string): SelvedgeError {
  return new SelvedgeError({ kind: "environment-invalid", variables: [variable] }, message, { hint });
}

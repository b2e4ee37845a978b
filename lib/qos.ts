/** Quality of service as users write it: in a CNI configuration, in the daemon's configuration, in an annotation. */
import { absent, type Found, fields, integer, optional, refuse } from "./parse.ts";

/** What a network is for the packets of its pods. */
export interface Qos {
  /** Differentiated services code point of what the pod sends, 0 to 63. */
  readonly dscp?: number;
  /** Priority of what the pod sends, as SO_PRIORITY counts it: 0 best effort, 1 lowest, 7 highest. */
  readonly priority?: number;
  /** Bits per second into the pod, where the runtime names none. */
  readonly ingressRate?: number;
  /** Bits per second out of the pod, where the runtime names none. */
  readonly egressRate?: number;
}

/** What all interfaces of a pod may take together, bits per second. */
export interface PodQos {
  readonly ingressRate?: number;
  readonly egressRate?: number;
}

/**
 * Names of code points: RFC 2474 (CS), RFC 2597 (AF), RFC 3246 (EF), RFC 5865 (VA), RFC 8622 (LE), in the order of
 * their numbers.
 */
export const DSCP: Readonly<Record<string, number>> = {
  CS0: 0,
  LE: 1,
  CS1: 8,
  AF11: 10,
  AF12: 12,
  AF13: 14,
  CS2: 16,
  AF21: 18,
  AF22: 20,
  AF23: 22,
  CS3: 24,
  AF31: 26,
  AF32: 28,
  AF33: 30,
  CS4: 32,
  AF41: 34,
  AF42: 36,
  AF43: 38,
  CS5: 40,
  VA: 44,
  EF: 46,
  CS6: 48,
  CS7: 56,
};

export const DSCP_TEXT = 'a code point: "EF", "AF11" to "AF43", "CS0" to "CS7", "VA", "LE", or a number from 0 to 63';
export const PRIORITY = { min: 0, max: 7 } as const;
/** As lib/datapath/bandwidth.ts has it: less cannot be shaped, more cannot be counted. */
export const RATE = { min: 1_000, max: 2 ** 40 } as const;

/** A name in any case, or a number. @throws SelvedgeError config-invalid */
export function dscp(found: Found): number {
  const { value } = found;
  const named = typeof value === "string" ? DSCP[value.toUpperCase()] : undefined;
  if (named !== undefined) return named;
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 63
    ? value
    : refuse(found, DSCP_TEXT);
}

/** The shortest name, or the number. */
export const dscpName = (value: number): string =>
  Object.keys(DSCP).find((name) => DSCP[name] === value) ?? String(value);

const rate = (found: Found): number => integer(found, RATE);

/** `qos` of a network. @throws SelvedgeError config-invalid */
export function parseQos(found: Found): Qos | undefined {
  if (absent(found)) return undefined;
  const at = fields(found);
  return {
    ...given("dscp", optional(at("dscp"), dscp)),
    ...given(
      "priority",
      optional(at("priority"), (each) => integer(each, PRIORITY)),
    ),
    ...parsePodQos(found),
  };
}

/** `podQos`: rates alone. @throws SelvedgeError config-invalid */
export function parsePodQos(found: Found): PodQos | undefined {
  if (absent(found)) return undefined;
  const at = fields(found);
  return {
    ...given("ingressRate", optional(at("ingressRate"), rate)),
    ...given("egressRate", optional(at("egressRate"), rate)),
  };
}

/** Annotation of a pod with its totals, as JSON. */
export const POD_QOS_ANNOTATION = "selvedge.dev/pod-qos";

/** @throws SelvedgeError config-invalid naming the annotation */
export function parsePodQosAnnotation(annotation: string): PodQos | undefined {
  const found: Found = { path: POD_QOS_ANNOTATION, value: annotation };
  try {
    return parsePodQos({ ...found, value: JSON.parse(annotation) });
  } catch (error) {
    if (error instanceof SyntaxError) return refuse(found, 'JSON such as {"egressRate": 50000000}');
    throw error;
  }
}

const given = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };

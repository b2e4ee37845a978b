/** What an answer of a router's HTTP API means. Its application says everything as JSON under `text/html`; nginx says HTML. */
import { type RouterTrouble, SelvedgeError } from "#lib/errors.ts";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What was asked decides what may have happened when it failed. */
export type Asked = "configure" | "other";

/**
 * @param secrets of the request: the router says the paths again that it does not take
 * @returns the answer's `data` @throws SelvedgeError router
 */
export function dataOf(router: string, asked: Asked, answer: Answer, secrets: readonly string[] = []): unknown {
  const envelope = envelopeOf(answer.body);
  if (answer.status === 200 && envelope?.success === true) {
    if (typeof envelope.data === "string" && /commit will be called in the background/.test(envelope.data))
      throw trouble(router, "unknown", "it commits in the background, and does not tell how that ends");
    return envelope.data;
  }
  const text = envelope === undefined ? "" : unescaped(String(envelope.error ?? "")).trim();
  const why = reason(asked, answer, envelope !== undefined, text);
  // One may be the beginning of another.
  const longest = secrets.toSorted((a, b) => b.length - a.length);
  const shown = longest.reduce((said, secret) => said.replaceAll(secret, "(secret)"), text);
  throw trouble(router, why, shown === "" ? `HTTP ${answer.status}${SAID[answer.status] ?? ""}` : shown);
}

/** Of nginx, in front of the application. */
const SAID: Readonly<Record<number, string>> = {
  413: ": the request is larger than `service https request-body-size-limit`",
  502: ": its API has ended, or is starting",
  503: ": its API is off (`set service https api`)",
  504: ": it took too long",
};

function reason(asked: Asked, { status }: Answer, isApplication: boolean, text: string): RouterTrouble {
  if (status === 401) return "denied";
  if (status === 413) return "refused";
  if (status === 503 && !isApplication) return "unreachable";
  // nginx: nobody listens, which is before anything is done, or whoever did has ended on the way (T6069).
  if (status === 502) return asked === "configure" ? "unknown" : "unreachable";
  if (status === 504) return asked === "configure" ? "unknown" : "busy";
  if (status >= 500) return asked === "configure" ? "unknown" : "busy";
  if (!isApplication) return "not-vyos";
  if (/temporarily locked|locked by another commit/.test(text)) return "locked";
  if (/Commit failed|\]\] failed|confirm is pending/.test(text)) return "failed";
  // Without a reason: right after somebody else's commit (T9218).
  if (/^(Set|Delete) failed$/.test(text)) return "locked";
  if (/(Set|Delete) failed|is not valid|does not exist|is not a valid operation|Malformed command|'loc': \(/.test(text))
    return "refused";
  return asked === "configure" ? "failed" : "refused";
}

interface Envelope {
  readonly success: boolean;
  readonly data?: unknown;
  readonly error?: unknown;
}

function envelopeOf(body: string): Envelope | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && "success" in value ? (value as Envelope) : undefined;
  } catch {
    return undefined;
  }
}

/** The rolling release escapes its errors for HTML (T6736), all but quotes. */
const unescaped = (text: string): string =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

const HINTS: Readonly<Partial<Record<RouterTrouble, string>>> = {
  denied: "On the router: `show configuration commands | match https` lists its keys.",
  "not-vyos":
    "On the router: `set service https api keys id selvedge key …`, from 1.5 on also `set service https api rest`.",
};

export function trouble(router: string, why: RouterTrouble, text: string, cause?: unknown): SelvedgeError {
  const hint = HINTS[why];
  return new SelvedgeError({ kind: "router", router, why }, `router ${router}: ${text}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}

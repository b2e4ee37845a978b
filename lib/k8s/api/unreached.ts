/** Why nothing was heard from an API server, in words that say what to do. */
import { SelvedgeError } from "#lib/errors.ts";

/** The first row whose words are in what was said (OpenSSL and Node). */
const HINTS: readonly [words: RegExp, hint: string][] = [
  [
    /certificate has expired|certificate is not yet valid/,
    "The server's certificate is out of date, or this machine's clock is wrong.",
  ],
  [
    /self.signed|unable to (verify|get)|unknown ca|issuer/i,
    "The authority that signed the server's certificate is not the one of the kubeconfig, or of the service account (ca.crt).",
  ],
  [/altnames|Hostname\/IP/, "The server's certificate is for another name: set tls-server-name in the kubeconfig."],
  [/wrong version number|packet length too long/, "What answers there speaks no TLS."],
  [/ENOTFOUND|EAI_AGAIN/, "The server's name is unknown here: `getent hosts NAME`."],
];

const AWAY = "Is it running and reached from here? `curl -k SERVER/livez`.";

export function unreached(server: URL, cause: unknown): SelvedgeError {
  if (cause instanceof SelvedgeError) return cause;
  const { message, errors = [] } = cause as Error & { readonly errors?: readonly Error[] };
  // Of a name with several addresses Node gathers what each said.
  const said = message || errors.map((each) => each.message).join(", ");
  const hint = HINTS.find(([words]) => words.test(said))?.[1] ?? AWAY;
  return new SelvedgeError({ kind: "not-ready" }, `${server.origin}: ${said}`, { cause, hint });
}

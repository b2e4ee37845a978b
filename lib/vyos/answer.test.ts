import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { isFailure, type RouterTrouble } from "#lib/errors.ts";
import { needing } from "../../test/support/requirement.ts";
import { DATA } from "../../test/support/vyos/grammar.ts";
import { type Asked, dataOf } from "./answer.ts";

const meaning = (asked: Asked, status: number, body: string): RouterTrouble | "done" => {
  try {
    dataOf("edge1", asked, { status, body });
    return "done";
  } catch (error) {
    if (!isFailure(error, "router")) throw error;
    return error.failure.why;
  }
};
const refusal = (error: string) => JSON.stringify({ success: false, error, data: null });

const CASES: readonly [name: string, asked: Asked, status: number, body: string, RouterTrouble | "done"][] = [
  ["a commit that was made", "configure", 200, '{"success": true, "data": null, "error": null}', "done"],
  ["its warnings", "configure", 200, '{"success": true, "data": "WARNING: x", "error": null}', "done"],
  [
    "a commit in the background",
    "configure",
    200,
    '{"success": true, "data": "Requested HTTP API server configuration change; commit will be called in the background", "error": null}',
    "unknown",
  ],
  ["a wrong key", "configure", 401, refusal("Valid API key is required"), "denied"],
  ["nginx: too large", "configure", 413, "<html>413</html>", "refused"],
  ["nginx: the API is off", "other", 503, "<html>503</html>", "unreachable"],
  ["nginx: the API has ended, perhaps during the commit", "configure", 502, "<html>502</html>", "unknown"],
  ["nginx: a read while the API starts", "other", 502, "<html>502</html>", "unreachable"],
  ["nginx: too slow", "configure", 504, "<html>504</html>", "unknown"],
  ["nginx: a read that was too slow", "other", 504, "<html>504</html>", "busy"],
  ["nginx: no such place", "other", 404, "<html>404</html>", "not-vyos"],
  ["FastAPI: no such place", "other", 404, '{"detail": "Not Found"}', "not-vyos"],
  ["another web server", "other", 200, "<html>Welcome</html>", "not-vyos"],
  ["a read during a commit", "other", 500, refusal("An internal error occured. Check the logs for details."), "busy"],
  ["an exception during a commit", "configure", 500, "Traceback (most recent call last)", "unknown"],
  ["no session", "configure", 503, refusal("config session unavailable; retry"), "unknown"],
  [
    "a lock of 1.4",
    "configure",
    400,
    refusal("Configuration system temporarily locked due to another commit in progress\n"),
    "locked",
  ],
  [
    "a lock of the rolling release",
    "configure",
    400,
    refusal("Configuration system locked by another commit in progress"),
    "locked",
  ],
  ["the race after another commit", "configure", 400, refusal("Set failed\n"), "locked"],
  [
    "a commit that failed",
    "configure",
    400,
    refusal("[ protocols bgp ]\nBGP system-as number must be defined!\n\n[[protocols bgp]] failed\nCommit failed\n"),
    "failed",
  ],
  ["a confirmation under way", "configure", 400, refusal("Another confirm is pending"), "failed"],
  ["words that nobody knows", "configure", 400, refusal("boom"), "failed"],
];
test.each(CASES)("%s", (_name, asked, status, body, expected) => expect(meaning(asked, status, body)).toBe(expected));
test("the table has cases", () => expect(CASES.length).toBeGreaterThan(0));

test("the rolling release's escapes are undone in the message", () =>
  expect(() =>
    dataOf("edge1", "other", { status: 400, body: refusal("Error: &lt;b&gt;&amp; is not a valid IPv4 prefix") }),
  ).toThrow("router edge1: Error: <b>& is not a valid IPv4 prefix"));

test("a secret that the router says again is in no message", () => {
  const body = refusal(
    "Configuration path: [protocols bgp neighbor 192.0.2.1 password a&lt;s3cret] is not valid\n\nSet failed\n",
  );
  expect(() => dataOf("edge1", "configure", { status: 400, body }, ["a<s3cret"])).toThrow(
    "router edge1: Configuration path: [protocols bgp neighbor 192.0.2.1 password (secret)] is not valid\n\nSet failed",
  );
});

test("one that another begins with neither", () => {
  const body = refusal("[protocols bgp neighbor 192.0.2.1 password abc123] is not valid\n\nSet failed\n");
  expect(() => dataOf("edge1", "configure", { status: 400, body }, ["abc", "abc123"])).toThrow(
    "router edge1: [protocols bgp neighbor 192.0.2.1 password (secret)] is not valid\n\nSet failed",
  );
});

/** Answers of real servers, by what they were asked. */
interface Recorded {
  readonly name: string;
  readonly status: number | null;
  readonly body: unknown;
}
const file = join(DATA, "recorded-answers.json");
const recorded: Recorded[] = existsSync(file)
  ? Object.values(JSON.parse(readFileSync(file, "utf8")) as Record<string, Recorded[] | string>)
      .flatMap((list) => (Array.isArray(list) ? list : []))
      // Of one only the length was kept.
      .filter(({ status, body }) => (status ?? 0) > 0 && typeof body !== "number")
  : [];

/** By name, where the status does not say it all. */
const MEANINGS: readonly [pattern: RegExp, RouterTrouble][] = [
  [/lock held|PARTIAL: (static ok|retry)|try vxlan incomplete/, "locked"],
  [/verify fails|delete used|^vrf$|^try /, "failed"],
  [/^(GET \/configure|unknown endpoint|GET \/openapi)/, "not-vyos"],
  [/self change goes to background/, "unknown"],
  [/show op|retrieve during commits/, "busy"],
];
const right = ({ name, status }: Recorded): RouterTrouble | "done" => {
  const named = MEANINGS.find(([pattern]) => pattern.test(name))?.[1];
  if (status === 401) return "denied";
  return status === 200 && named !== "unknown" && named !== "not-vyos" ? "done" : (named ?? "refused");
};
const isOther = (name: string): boolean => /retrieve|show|form|json|body|save|load|GET|endpoint/.test(name);

needing({ file })("every recorded answer is understood", () => {
  expect(recorded.length).toBeGreaterThan(100);
  const found = recorded.map(({ name, status, body }) => {
    const shown = typeof body === "string" ? body : JSON.stringify(body);
    return `${name}: ${meaning(isOther(name) ? "other" : "configure", status ?? 0, shown)}`;
  });
  expect(found).toEqual(recorded.map((each) => `${each.name}: ${right(each)}`));
});

/**
 * A router's HTTP API over TLS: one connection for each request, because there is one a minute. Its key travels in the body of
 * a request (the only way that 1.4 knows) to a router whose certificate was looked at first, and is in no message.
 */
import { type Path, secretOf } from "#lib/edge/path.ts";
import { treeOf } from "#lib/edge/tree.ts";
import { isFailure } from "#lib/errors.ts";
import { root } from "#lib/parse.ts";
import { type Answer, type Asked, dataOf, trouble } from "./answer.ts";
import { exchange } from "./exchange.ts";
import { type Trust, trusted } from "./trust.ts";
import type { Vyos } from "./vyos.ts";

export interface VyosOptions {
  readonly name: string;
  /** `https://192.0.2.1`; a path in it comes before those of the API. */
  readonly url: string;
  /**
   * Read at every request: a key may be replaced while the daemon runs.
   * @param isDenied the router has not taken what this gave last @throws SelvedgeError config-invalid, not-ready
   */
  readonly key: (isDenied?: boolean) => Promise<string>;
  readonly trust: Trust;
  /** How long a commit may take, ms; nginx on the router gives up after 600,000. */
  readonly commitMs: number;
}

const READ_MS = 120_000;

export function vyos({ name, url, key, trust, commitMs }: VyosOptions): Vyos {
  const at = (path: string): URL => new URL(url.replace(/\/$/, "") + path);
  const ask = async (path: string, timeoutMs: number, body?: string): Promise<Answer> => {
    const to = at(path);
    const socket = await trusted(name, to, trust);
    return exchange(name, { to, socket, timeoutMs, ...(body === undefined ? {} : { body }) });
  };
  /** With the key that is known; where the router denies that, with another if there is one by now. */
  const withKey = async <T>(work: (key: string) => Promise<T>): Promise<T> => {
    const known = await key();
    try {
      return await work(known);
    } catch (error) {
      if (!isFailure(error, "router") || error.failure.why !== "denied") throw error;
      const now = await key(true);
      if (now === known) throw error;
      return await work(now);
    }
  };
  const post = (
    path: string,
    data: unknown,
    asked: Asked,
    timeoutMs: number,
    secrets: string[] = [],
  ): Promise<unknown> =>
    withKey(async (key) => {
      const form = new URLSearchParams({ data: JSON.stringify(data), key });
      return dataOf(name, asked, await ask(path, timeoutMs, form.toString()), [...secrets, key]);
    });
  const show = async (path: Path): Promise<string> =>
    String(await post("/show", { op: "show", path }, "other", READ_MS));

  return {
    async version() {
      const { status, body } = await ask("/info?version=1&hostname=0", READ_MS);
      // The route came with 1.5 (T4406). FastAPI says in JSON that there is none, nginx in HTML.
      if (status === 404) return /Version:\s+(?:VyOS\s+)?(\S+)/.exec(await show(["version"]))?.[1] ?? "";
      const data = dataOf(name, "other", { status, body }) as { readonly version?: unknown } | null;
      return String(data?.version ?? "");
    },
    async read(path) {
      try {
        const data = await post("/retrieve", { op: "showConfig", path }, "other", READ_MS);
        return treeOf(root(data, path.join(" ")));
      } catch (error) {
        if (isFailure(error, "router") && /Configuration under specified path is empty/.test(error.message))
          return new Map();
        if (isFailure(error, "config-invalid")) throw trouble(name, "not-vyos", error.message, error);
        throw error;
      }
    },
    async configure(commands, { confirmMinutes } = {}) {
      const secrets = commands.flatMap(({ path }) => secretOf(path) ?? []);
      if (confirmMinutes === undefined)
        return void (await post("/configure", commands, "configure", commitMs, secrets));
      await withKey(async (key) => {
        const body = JSON.stringify({ commands, confirm_time: confirmMinutes, key });
        dataOf(name, "configure", await ask("/configure", commitMs, body), [...secrets, key]);
      });
    },
    confirm: async () => void (await post("/config-file", { op: "confirm" }, "configure", READ_MS)),
    save: async () => void (await post("/config-file", { op: "save" }, "other", READ_MS)),
    show,
  };
}

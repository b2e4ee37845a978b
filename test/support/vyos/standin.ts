/**
 * A stand-in for a VyOS router: its HTTP API with the words of real ones (recorded-answers.json), one commit at a time, parts of
 * a commit that fail alone, reads that fail during it, and the grammar of the version. It configures nothing.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Version } from "#lib/edge/dialect.ts";
import type { Path } from "#lib/edge/path.ts";
import { nodeAt, type Tree } from "#lib/edge/tree.ts";
import { commit, copyOf } from "#lib/vyos/model.ts";
import type { Command } from "#lib/vyos/vyos.ts";
import type { Identity } from "../../store/pki.ts";
import { grammar } from "./grammar.ts";

export interface Standin extends AsyncDisposable {
  readonly url: string;
  readonly running: Tree;
  readonly saved: Tree;
  /** How long a commit takes, ms. */
  commitMs: number;
  /** Another one's commit is under way. */
  foreignLock: boolean;
  /** nginx gives up on commits: 504, and the commit goes on. */
  impatient: boolean;
  key: string;
  /** Paths of the requests so far. */
  readonly requests: readonly string[];
  operate(commands: readonly Command[]): void;
  reboot(): void;
  /** The time to confirm is over. */
  expire(): void;
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });
const done = (data: unknown): Reply => json(200, { success: true, data, error: null });
const BUSY = "An internal error occured. Check the logs for details.";
const NOT_FOUND: Reply = { status: 404, body: '{"detail":"Not Found"}', type: "application/json" };

export interface StandinOptions {
  readonly host?: string;
  readonly port?: number;
  /** Told of every commit: what is to be made of it. */
  readonly onCommit?: (running: Tree) => Promise<void>;
  /** Answers operational commands, all but `show version`. */
  readonly show?: (path: Path) => Promise<string>;
}

export async function standin(
  version: Version,
  identity: Identity,
  { host = "127.0.0.1", port = 0, onCommit = async () => {}, show }: StandinOptions = {},
): Promise<Standin> {
  const words = grammar(version);
  const requests: string[] = [];
  let running: Tree = new Map();
  let saved: Tree = new Map();
  /** What comes back unless it is confirmed. */
  let unconfirmed: Tree | undefined;
  let committing = 0;
  /** One request at a time changes anything. */
  let turn: Promise<unknown> = Promise.resolve();
  const failed = (status: number, error: string): Reply =>
    json(status, { success: false, error: version === "rolling" ? escaped(error) : error, data: null });

  const change = async (commands: readonly Command[], confirmMinutes?: number): Promise<Reply> => {
    if (self.foreignLock)
      return failed(400, "Configuration system temporarily locked due to another commit in progress\n");
    for (const { op, path } of commands) {
      const refusal = words.refusal(path, op);
      if (refusal !== undefined) return failed(400, refusal);
    }
    committing += 1;
    try {
      await sleep(self.commitMs);
      const { tree, refusals } = commit(running, commands, { isSingle: words.isSingle });
      // The commit comes first, and is not undone where another one waits already (T3955).
      const isSecond = unconfirmed !== undefined;
      try {
        await onCommit(tree);
      } catch (error) {
        return failed(400, `[ protocols ]\n${(error as Error).message}\n\n[[protocols]] failed\nCommit failed\n`);
      }
      if (confirmMinutes !== undefined) unconfirmed ??= running;
      running = tree;
      if (confirmMinutes !== undefined && isSecond) return failed(400, "Another confirm is pending");
      return refusals.length === 0
        ? done(version === "rolling" ? "" : null)
        : failed(400, `${refusals.join("")}Commit failed\n`);
    } finally {
      committing -= 1;
    }
  };

  const retrieve = (op: string, path: Path): Reply => {
    if (op !== "showConfig") return failed(400, `'${op}' is not a valid operation`);
    if (committing > 0) return failed(500, BUSY);
    const node = nodeAt(running, path);
    if (node === undefined) return failed(400, "Configuration under specified path is empty\n");
    const shape = shapeOf(node, path);
    const kind = words.kindAt(path);
    return done(kind === "tags" || kind === "leaf" ? { [path.at(-1) ?? ""]: shape } : shape);
  };

  const shown = async (path: Path): Promise<string> =>
    show === undefined || path[0] === "version"
      ? "Version:          VyOS 1.4.0\nRelease train:    sagitta\n"
      : show(path);

  const shapeOf = (node: Tree, path: Path): unknown => {
    if (words.kindAt(path) !== "leaf")
      return Object.fromEntries([...node].map(([name, below]) => [name, shapeOf(below, [...path, name])]));
    const values = [...node.keys()];
    return values.length === 1 ? values[0] : values;
  };

  const answer = async (method: string, place: string, form: URLSearchParams): Promise<Reply> => {
    if (place === "/info")
      return version === "1.4" ? NOT_FOUND : done({ version: "2026.02.13-0018-rolling", hostname: "", banner: "" });
    if (!["/retrieve", "/configure", "/config-file", "/show"].includes(place)) return NOT_FOUND;
    if (method !== "POST") return { status: 405, body: '{"detail":"Method Not Allowed"}', type: "application/json" };
    const data = form.get("data");
    if (place === "/config-file" && data?.includes('"confirm"')) {
      if (version === "1.4") return failed(400, "'confirm' is not a valid operation");
      if (unconfirmed === undefined) return failed(400, "No confirm pending");
      unconfirmed = undefined;
      return done("");
    }
    if (data === null) return failed(422, "Non-empty data field is required");
    if (form.get("key") !== self.key) return failed(401, "Valid API key is required");
    const asked = JSON.parse(data) as Command | Command[] | { op: string; path: Path };
    const [first] = Array.isArray(asked) ? asked : [asked];
    if (place === "/retrieve") return retrieve(first?.op ?? "", first?.path ?? []);
    if (place === "/show") return done(await shown(first?.path ?? []));
    if (place === "/config-file") {
      saved = copyOf(running);
      return done("");
    }
    const minutes = form.get("confirm_time");
    // 1.4 takes it and does nothing of it.
    const confirmMinutes = minutes === null || version === "1.4" ? undefined : Number(minutes);
    const mine = turn.then(() => change((Array.isArray(asked) ? asked : [asked]) as Command[], confirmMinutes));
    turn = mine;
    if (!self.impatient) return mine;
    return { status: 504, body: "<html><head><title>504 Gateway Time-out</title></head></html>" };
  };

  const server = createServer(
    { cert: readFileSync(identity.certificate), key: readFileSync(identity.key) },
    (request, response) => {
      const parts: Buffer[] = [];
      const place = new URL(request.url ?? "", "https://standin").pathname;
      requests.push(place);
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        void answer(request.method ?? "", place, formOf(Buffer.concat(parts).toString())).then(
          ({ status, body, type = "text/html; charset=utf-8" }) =>
            response.writeHead(status, { "content-type": type, connection: "close" }).end(body),
        );
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const self: Standin = {
    url: `https://${host}:${(server.address() as AddressInfo).port}`,
    get running() {
      return running;
    },
    get saved() {
      return saved;
    },
    commitMs: 0,
    foreignLock: false,
    impatient: false,
    key: "s3cret key",
    requests,
    operate(commands) {
      running = commit(running, commands, { isSingle: words.isSingle }).tree;
    },
    reboot() {
      running = copyOf(saved);
    },
    expire() {
      running = unconfirmed ?? running;
      unconfirmed = undefined;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return self;
}

/** Either way of asking, as the first. */
function formOf(body: string): URLSearchParams {
  if (!body.startsWith("{")) return new URLSearchParams(body);
  const { commands, key, confirm_time } = JSON.parse(body) as Record<string, unknown>;
  return new URLSearchParams({
    data: JSON.stringify(commands),
    key: String(key),
    ...(confirm_time === undefined ? {} : { confirm_time: String(confirm_time) }),
  });
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

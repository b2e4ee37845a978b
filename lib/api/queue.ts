/**
 * The durable queue of DELs that found no daemon. The plugin writes an entry and reports success, which is then a
 * promise: the daemon works entries off in the order of their names and removes each when it is done.
 */
import type { Request } from "#lib/cni/types.ts";
import { SelvedgeError } from "#lib/errors.ts";

/** First that can be written is used; the second is lost by a reboot, but so are the namespaces. */
export const QUEUE_DIRS = ["/var/lib/selvedge/queue", "/run/selvedge/queue"] as const;

export interface Entry {
  /** File name; names sort in the order of time. */
  readonly name: string;
  readonly directory: string;
}

export interface Queue {
  /** Complete entries of all directories, oldest first. A directory that is absent is empty; `unread`: one that cannot be read now. */
  list(unread: (error: SelvedgeError) => void): Promise<Entry[]>;
  /** undefined: no such entry, or not one that a plugin wrote. @throws SelvedgeError store when that cannot be told now */
  read(entry: Entry): Promise<Request | undefined>;
  /** Removes durably; gone already is fine. @throws SelvedgeError store */
  remove(entry: Entry): Promise<void>;
  /** Calls `poke` when an entry appears, until the signal; directories are made if they can be. */
  watch(poke: () => void, signal: AbortSignal): Promise<void>;
}

const SUFFIX = ".del.json";
let written = 0;

/**
 * Writes one DEL so that it outlives a crash of the machine: file, fsync, rename, fsync of the directory.
 * @param nowNs nanoseconds since the epoch
 * @returns the path of the entry
 * @throws SelvedgeError store when no directory can be written; the message holds the reason for each
 */
export async function enqueue(request: Request, directories: readonly string[], nowNs: bigint): Promise<string> {
  const fs = await import("node:fs");
  const text = JSON.stringify({ ...request, config: new TextDecoder().decode(request.config) });
  const order = [
    String(nowNs).padStart(20, "0"),
    String(process.pid).padStart(10, "0"),
    String(written++).padStart(6, "0"),
  ];
  const name = `${order.join("-")}${SUFFIX}`;
  const refused: string[] = [];
  for (const directory of directories) {
    try {
      fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
      const [temporary, path] = [`${directory}/.${name}`, `${directory}/${name}`];
      try {
        const file = fs.openSync(temporary, "wx", 0o600);
        try {
          fs.writeFileSync(file, text);
          fs.fsyncSync(file);
        } finally {
          fs.closeSync(file);
        }
        fs.renameSync(temporary, path);
      } catch (error) {
        fs.rmSync(temporary, { force: true });
        throw error;
      }
      const made = fs.openSync(directory, "r");
      try {
        fs.fsyncSync(made);
      } finally {
        fs.closeSync(made);
      }
      return path;
    } catch (error) {
      refused.push(`${directory}: ${(error as Error).message}`);
    }
  }
  throw new SelvedgeError({ kind: "store" }, `selvedged is away and the DEL cannot be queued: ${refused.join("; ")}`, {
    hint: "Free space on the disk or start selvedged; the runtime will try again.",
  });
}

/** The daemon's end of the queue. */
export function queue(directories: readonly string[]): Queue {
  const open = import("node:fs/promises");
  return {
    async list(unread) {
      const fs = await open;
      const found = await Promise.all(
        directories.map(async (directory) => {
          const names = await fs.readdir(directory).catch((error: NodeJS.ErrnoException) => {
            if (error.code !== "ENOENT") unread(unlisted(directory, error));
            return [];
          });
          return names.filter((name) => /^\d.*\.del\.json$/.test(name)).map((name) => ({ name, directory }));
        }),
      );
      return found.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async read({ directory, name }) {
      const fs = await open;
      const path = `${directory}/${name}`;
      const text = await fs.readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw refused("read", path, error);
      });
      return parseEntry(text);
    },
    async remove({ directory, name }) {
      const fs = await open;
      try {
        await fs.rm(`${directory}/${name}`, { force: true });
        const handle = await fs.open(directory, "r");
        await handle.sync().finally(() => handle.close());
      } catch (error) {
        throw refused("removed", `${directory}/${name}`, error as Error);
      }
    },
    async watch(poke, signal) {
      const fs = await open;
      const follow = async (directory: string): Promise<void> => {
        await fs.mkdir(directory, { recursive: true, mode: 0o700 });
        for await (const { filename } of fs.watch(directory, { signal })) if (filename?.endsWith(SUFFIX)) poke();
      };
      await Promise.all(directories.map((directory) => follow(directory).catch(() => undefined)));
    },
  };
}

const refused = (what: string, path: string, cause: Error): SelvedgeError =>
  new SelvedgeError({ kind: "store" }, `the queued DEL ${path} cannot be ${what}: ${cause.message}`, {
    hint: "It stays in the queue and is tried again.",
    cause,
  });

const unlisted = (directory: string, cause: Error): SelvedgeError =>
  new SelvedgeError({ kind: "store" }, `the queued DELs of ${directory} cannot be listed: ${cause.message}`, { cause });

/** A file of the store is parsed like any other input: undefined for what no plugin of ours has written. */
function parseEntry(text: string): Request | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const of = value as Record<string, unknown>;
  const string = (key: string): string => (typeof of[key] === "string" ? of[key] : "");
  const [containerId, ifname, inode] = [string("containerId"), string("ifname"), of.netnsInode];
  if (containerId === "" || ifname === "") return undefined;
  return {
    containerId,
    ifname,
    netns: string("netns"),
    args: string("args"),
    path: string("path"),
    config: new TextEncoder().encode(string("config")),
    netnsInode: typeof inode === "number" ? inode : 0,
    traceparent: string("traceparent"),
    tracestate: string("tracestate"),
    allowOwnNetns: of.allowOwnNetns === true,
  };
}

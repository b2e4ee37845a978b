/**
 * Makes a Unix socket's path ours, or says that another daemon has it. The socket is bound beside its path, closed to
 * everybody but its owner, and linked into place: link(2) fails when the path is taken, so two daemons that start at
 * the same time cannot both believe that they have it, and the path never names a socket with wider permissions.
 */
import { randomBytes } from "node:crypto";
import { chmod, link, lstat, mkdir, rename, rm } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { SelvedgeError } from "#lib/errors.ts";

/** sockaddr_un.sun_path without its final zero (linux/un.h, UNIX_PATH_MAX). */
const LONGEST_PATH = 107;

/** Lets `server` listen at `path`. Resolves to a function that takes the path away again, if it is still this one. */
export async function claim(server: Server, path: string): Promise<() => Promise<void>> {
  const bound = `${path}.${randomBytes(4).toString("hex")}`;
  if (Buffer.byteLength(bound) > LONGEST_PATH)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "socket" },
      `socket: ${path} is too long: a Unix socket's path has at most ${LONGEST_PATH - 9} bytes here`,
    );
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await listening(server, bound);
  try {
    await chmod(bound, 0o600);
    const { ino } = await lstat(bound);
    await putInPlace(bound, path);
    return async () => {
      if ((await inodeOf(path)) === ino) await rm(path, { force: true });
    };
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(bound, { force: true });
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function putInPlace(bound: string, path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await link(bound, path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt === 3) throw error;
    }
    await removeStale(path, `${bound}.stale`);
  }
}

/**
 * The path may get a new owner between the look and the removal; so it is moved aside first, and moved back when what
 * was moved is not what was looked at.
 */
async function removeStale(path: string, aside: string): Promise<void> {
  const seen = await lstat(path).catch(() => undefined);
  if (seen === undefined) return;
  if (!seen.isSocket())
    throw new SelvedgeError(
      { kind: "config-invalid", field: "socket" },
      `socket: ${path} exists and is not a socket; remove it or choose another path`,
    );
  if (await answers(path)) throw taken(path);
  await rename(path, aside).catch(() => undefined);
  const moved = await inodeOf(aside);
  if (moved !== undefined && moved !== seen.ino) {
    await link(aside, path).catch(() => undefined);
    await rm(aside, { force: true });
    throw taken(path);
  }
  await rm(aside, { force: true });
}

const taken = (path: string): SelvedgeError =>
  new SelvedgeError({ kind: "conflict", what: path }, `another selvedged is listening on ${path}`, {
    hint: "Run `selvedgectl status` to see it. Only one daemon may run on a node.",
  });

const inodeOf = async (path: string): Promise<number | undefined> => (await lstat(path).catch(() => undefined))?.ino;

/** True when a connection is taken up, or would be if the backlog were not full. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EAGAIN"));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

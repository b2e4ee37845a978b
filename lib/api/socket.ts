/** A Unix stream socket in the terms of its runtime: Bun's own (a millisecond cheaper to load than node:net) or Node's. */

export type Write = (bytes: Uint8Array) => void;

export interface Handlers {
  open(write: Write): void;
  data(bytes: Uint8Array, write: Write): void;
  /** Called once, also when the connection could not be made. */
  close(why: string): void;
}

export type Connect = (path: string, handlers: Handlers) => { end(): void };

/** The part of Bun's interface that is used here (bun.sh/docs/api/tcp); its own types would claim all of Bun's globals. */
interface BunSocket {
  /** Bytes that the kernel took; -1 when the socket is closed. */
  write(bytes: Uint8Array): number;
  end(): void;
}
interface Bun {
  connect(options: {
    unix: string;
    socket: {
      open(socket: BunSocket): void;
      data(socket: BunSocket, bytes: Uint8Array): void;
      drain(socket: BunSocket): void;
      close(socket: BunSocket): void;
      error(socket: BunSocket, error: Error): void;
    };
  }): Promise<BunSocket>;
}

/** The runtime's own way. */
export const connect: Connect = (path, handlers) => {
  const bun = (globalThis as { Bun?: Bun }).Bun;
  return bun === undefined ? connectNode(path, handlers) : connectBun(bun, path, handlers);
};

function connectBun(bun: Bun, path: string, handlers: Handlers): { end(): void } {
  const waiting: Uint8Array[] = [];
  const flush = (socket: BunSocket): void => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const taken = Math.max(socket.write(next), 0);
      if (taken < next.length) {
        waiting[0] = next.subarray(taken);
        return;
      }
      waiting.shift();
    }
  };
  const writer = (socket: BunSocket): Write => {
    return (bytes) => {
      waiting.push(bytes);
      if (waiting.length === 1) flush(socket);
    };
  };
  const opened = bun.connect({
    unix: path,
    socket: {
      open: (socket) => handlers.open(writer(socket)),
      data: (socket, bytes) => handlers.data(bytes, writer(socket)),
      drain: flush,
      close: () => handlers.close("the connection was closed"),
      error: (_socket, error) => handlers.close(reason(error)),
    },
  });
  opened.catch((error: unknown) => handlers.close(reason(error)));
  return { end: () => void opened.then((socket) => socket.end()).catch(() => undefined) };
}

function connectNode(path: string, handlers: Handlers): { end(): void } {
  const opened = import("node:net").then(({ createConnection }) => {
    const socket = createConnection(path);
    const write: Write = (bytes) => void socket.write(bytes);
    let why = "the connection was closed";
    socket.once("connect", () => handlers.open(write));
    socket.on("data", (bytes: Uint8Array) => handlers.data(bytes, write));
    socket.once("error", (error) => {
      why = reason(error);
    });
    socket.once("close", () => handlers.close(why));
    return socket;
  });
  return { end: () => void opened.then((socket) => socket.destroy()) };
}

/** The system's name of an error says more than what the runtimes make of it. */
function reason(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return typeof code === "string" ? code : String(message ?? error);
}

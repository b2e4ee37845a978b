/** A TCP connection that a test can cut: what listens here leads to another port. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Wire extends AsyncDisposable {
  readonly port: number;
  /** Connections that were made through it. */
  readonly connections: number;
  /** Ends what there is and refuses what comes. */
  cut(): void;
  /** Takes what comes, and lets nothing through: a partition. */
  swallow(): void;
  heal(): void;
}

export async function wire(to: number, port: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let swallows = false;
  const forward = (from: Socket): void => {
    connections += 1;
    const there = connect(to, "127.0.0.1");
    for (const [one, other] of [
      [from, there],
      [there, from],
    ] as const) {
      sockets.add(one);
      one.on("data", (data: Buffer) => {
        if (!swallows) other.write(data);
      });
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  };
  const listen = (): Server => createServer(forward).listen(port, "127.0.0.1");
  let server: Server | undefined = listen();
  await once(server, "listening");
  const cut = (): void => {
    server?.close();
    server = undefined;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port,
    get connections() {
      return connections;
    },
    cut,
    swallow: () => {
      swallows = true;
    },
    heal() {
      swallows = false;
      server ??= listen();
    },
    async [Symbol.asyncDispose]() {
      cut();
    },
  };
}

/** Stands between a client and etcd, and counts what passes: bytes of TCP's payload, and messages of gRPC. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { messageCounter } from "./messages.ts";

export interface Passed {
  readonly bytes: number;
  readonly messages: number;
}

export interface Traffic {
  /** From the client to etcd. */
  readonly asked: Passed;
  readonly told: Passed;
}

export interface Wiretap extends AsyncDisposable {
  readonly endpoint: string;
  /** Since the last time that it was asked. */
  take(): Traffic;
}

const NONE: Passed = { bytes: 0, messages: 0 };

/** @param endpoint of etcd, `http://127.0.0.1:2379` */
export async function wiretap(endpoint: string): Promise<Wiretap> {
  const { hostname, port } = new URL(endpoint);
  let asked = NONE;
  let told = NONE;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const etcd = connect({ host: hostname, port: Number(port) });
    const counters = { asked: messageCounter("client"), told: messageCounter("server") };
    for (const socket of [client, etcd]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        (socket === client ? etcd : client).destroy();
      });
    }
    client.on("data", (bytes: Buffer) => {
      asked = { bytes: asked.bytes + bytes.length, messages: asked.messages + counters.asked.take(bytes) };
    });
    etcd.on("data", (bytes: Buffer) => {
      told = { bytes: told.bytes + bytes.length, messages: told.messages + counters.told.take(bytes) };
    });
    client.pipe(etcd);
    etcd.pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take() {
      const passed = { asked, told };
      asked = NONE;
      told = NONE;
      return passed;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A real API server does what the fake one does, as far as the contract of sources goes. */
import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, test } from "@jest/globals";
import { CONTRACT, type Manifest } from "#lib/k8s/contract.ts";
import { freePort } from "../support/free-port.ts";
import { hurriedSource } from "../support/kubernetes/source.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";
import { runs } from "./runs.ts";

let kubernetes: ControlPlane;
beforeAll(async () => {
  if (runs !== test.skip) kubernetes = await controlPlane();
}, 180_000);
afterAll(async () => kubernetes?.[Symbol.asyncDispose](), 60_000);

/** A port that leads to the API server, as long as it is open. */
async function gate(to: number) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = createConnection(to, "127.0.0.1");
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.on("error", () => {}).on("close", () => sockets.delete(each));
    }
    socket.pipe(onward).pipe(socket);
  });
  const port = await freePort();
  const open = async (): Promise<void> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await open();
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port, close, open, [Symbol.asyncDispose]: close };
}

runs.each(CONTRACT)(
  "a real API server: $name",
  async ({ run }) => {
    await using door = await gate(Number(new URL(kubernetes.url).port));
    const server = new URL(`https://127.0.0.1:${door.port}`);
    const { ca, admin: token } = kubernetes;
    const put = async (manifest: Manifest) => void (await kubernetes.kubectl(["apply", "--filename=-"], manifest));
    try {
      await run({
        source: hurriedSource(async () => ({ server, ca, token })),
        put,
        remove: async (manifest) => void (await kubernetes.kubectl(["delete", "--filename=-"], manifest)),
        away: door.close,
        back: door.open,
      });
    } finally {
      // No controller ends a namespace here, so what is in it goes.
      await kubernetes.kubectl(["delete", "networkpolicies", "--all", "--namespace=contract"]);
    }
  },
  120_000,
);

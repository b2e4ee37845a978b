/** The echo over UDP: a socket for each family. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { address, family } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { decode, encode } from "./datagram.ts";
import type { Asked, EchoOptions, OpenEcho } from "./echo.ts";

/** An address of a link carries the link's name behind a percent sign; those are of no use between nodes. */
const isPlain = (text: string): boolean => !text.includes("%");

export const udpEcho: OpenEcho = async (options) => {
  const sockets = { 4: await open("udp4", options), 6: await open("udp6", options) };
  const all = [sockets[4], sockets[6]].filter((socket) => socket !== undefined);
  if (all.length === 0)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "cluster.probe.port" },
      "cluster.probe.port: this machine has neither IPv4 nor IPv6",
    );
  return {
    port: options.port,
    ask: ({ address: to, port, uid }, nonce) =>
      sockets[family(to)]?.send(encode({ kind: "question", nonce, uid }), port, to, ignored),
    askClosely: (to, nonce) => askClosely(to, nonce, options),
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
    },
  };
};

/** Routes come and go: what cannot be sent now is a probe without an answer. */
const ignored = (): void => {};

/** How long an answer is waited for, ms. */
const CLOSELY_MS = 1_000;

/** A socket that is connected is told of ICMP errors (RFC 1122 section 4.1.3.3); here, port unreachable. */
function askClosely({ address: to, port, uid }: Asked, nonce: bigint, { onAnswer, onRefusal }: EchoOptions): void {
  const socket = createSocket({ type: family(to) === 4 ? "udp4" : "udp6" });
  let open = true;
  const close = (): void => {
    clearTimeout(timer);
    if (open) socket.close();
    open = false;
  };
  const timer = setTimeout(close, CLOSELY_MS);
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNREFUSED") onRefusal(nonce);
    close();
  });
  socket.on("message", (bytes) => {
    const heard = decode(bytes);
    if (heard?.kind === "answer" && heard.nonce === nonce) onAnswer(nonce);
    close();
  });
  // A callback would be called where no route leads there, too; then there is an error.
  socket.on("connect", () => {
    if (open) socket.send(encode({ kind: "question", nonce, uid }), ignored);
  });
  socket.connect(port, to);
}

/** Undefined where the machine does not have the family. */
async function open(type: "udp4" | "udp6", options: EchoOptions): Promise<Socket | undefined> {
  const socket = createSocket({ type, ipv6Only: type === "udp6" });
  const bound = once(socket, "listening");
  socket.bind(options.port);
  try {
    await bound;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL") return undefined;
    throw new SelvedgeError(
      { kind: "config-invalid", field: "cluster.probe.port" },
      `cluster.probe.port: ${options.port} cannot be listened on (${code})`,
      { hint: "Another program has the port; choose another one.", cause: error },
    );
  }
  socket.on("error", ignored);
  socket.on("message", (bytes, { address: from, port }) => {
    const heard = decode(bytes);
    if (heard === undefined || !isPlain(from)) return;
    if (heard.kind === "answer") options.onAnswer(heard.nonce);
    else if (heard.uid === options.uid && options.isKnown(address(from)))
      socket.send(encode({ ...heard, kind: "answer" }), port, from, ignored);
  });
  return socket;
}

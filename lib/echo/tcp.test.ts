import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import { reaches } from "./tcp.ts";

const LOOPBACK = address("127.0.0.1");

test("whoever takes a connection is there, and whoever refuses it; nobody else", async () => {
  const server = createServer((socket) => socket.resume()).listen(0, LOOPBACK);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(await reaches({ address: LOOPBACK, port })).toBe(true);
  server.close();
  await once(server, "close");
  expect(await reaches({ address: LOOPBACK, port })).toBe(true);
  // Never assigned to anybody (RFC 1112, section 4): without a default route there is no way there, with one nobody answers.
  expect(await reaches({ address: address("240.0.0.1"), port })).toBe(false);
});

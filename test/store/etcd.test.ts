/** The contract of a shared store, kept by a real etcd. */
import { afterAll, beforeAll, expect } from "@jest/globals";
import { etcd } from "#lib/store/etcd/etcd.ts";
import { CASES, type World } from "#lib/store/shared-contract.ts";
import { needing } from "../support/requirement.ts";
import { clientOnLine } from "./client-on-line.ts";
import { ETCD, type EtcdServer, etcdServer } from "./etcd-server.ts";
import { keepsRecords } from "./records.ts";

const test = needing({ file: ETCD });
/** Twice etcd's election timeout, rounded up, is the shortest lease that it gives. */
const LIVENESS_SECONDS = 2;

let server: EtcdServer;
let count = 0;
beforeAll(async () => {
  server = await etcdServer();
});
afterAll(async () => server[Symbol.asyncDispose](), 30_000);

function world(prefix: string): World {
  return {
    livenessSeconds: LIVENESS_SECONDS,
    open: () =>
      clientOnLine(server.port, (port) =>
        etcd({ endpoints: [`http://127.0.0.1:${port}`], prefix, livenessSeconds: LIVENESS_SECONDS }),
      ),
    compact: server.compact,
    stop: server.stop,
    start: server.start,
  };
}

test("the contract has cases", () => expect(CASES.length).toBeGreaterThan(10));

test.each(CASES)("%s", (_name, run) => run(world(`/case${++count}/`)), 60_000);

test("records of every kind are kept", async () => {
  const { open } = world("/records/");
  await using one = await open();
  await using two = await open();
  await keepsRecords(one, two);
}, 60_000);

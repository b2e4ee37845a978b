/** What only a real etcd and a real wire can show, beyond the contract. */
import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect } from "@jest/globals";
import { etcd } from "#lib/store/etcd/etcd.ts";
import { follow, until } from "#lib/store/shared-contract.ts";
import { freePort } from "../support/free-port.ts";
import { needing } from "../support/requirement.ts";
import { ETCD, etcdServer } from "./etcd-server.ts";
import { wire } from "./wire.ts";

const test = needing({ file: ETCD });

const never = (): boolean => false;
const url = (port: number): string => `http://127.0.0.1:${port}`;

test("the next member is asked when one is gone, also when it is gone without a word", async () => {
  await using server = await etcdServer();
  await using first = await wire(server.port, await freePort());
  await using second = await wire(server.port, await freePort());
  // The first of three: one that was never there.
  const endpoints = [url(await freePort()), url(first.port), url(second.port)];
  await using shared = etcd({ endpoints, prefix: "/t/", livenessSeconds: 30, random: () => 0 });
  using here = follow(shared, "");
  expect(await shared.put("k", "1", { if: "absent" })).toBeDefined();
  await until("told", () => here.known.get("k") === "1");
  expect([first.connections, second.connections]).toEqual([1, 0]);
  first.cut();
  await until("the second is used", () => shared.put("k", "2").then(Boolean, never));
  await until("also by the watch", () => here.known.get("k") === "2");
  expect(second.connections).toBe(1);
  first.heal();
  second.swallow();
  await until("a request that is not answered leads to the first", () => shared.put("k", "3").then(Boolean, never));
  // Pings tell within 15 s that nothing comes any more.
  await until("also by the watch", () => here.known.get("k") === "3", 30_000);
  expect(here.connections.slice(-2)).toEqual([false, true]);
});

test("a watch goes on after etcd's restart, and begins anew when its revision was compacted meanwhile", async () => {
  await using server = await etcdServer();
  await using line = await wire(server.port, await freePort());
  await using shared = etcd({ endpoints: [url(line.port)], prefix: "/t/", livenessSeconds: 30 });
  await using other = etcd({ endpoints: [server.endpoint], prefix: "/t/", livenessSeconds: 30 });
  using here = follow(shared, "");
  await shared.put("a", "1");
  await until("told", () => here.known.get("a") === "1" && here.connections.at(-1) === true);
  await server.stop("SIGTERM");
  await server.start();
  await until("etcd answers again", () => shared.put("a", "1b").then(Boolean, never));
  await until("the watch goes on", () => here.known.get("a") === "1b" && here.connections.at(-1) === true);
  expect(here.connections.slice(0, 2)).toEqual([true, false]);
  expect(here.changes.filter((change) => "all" in change)).toHaveLength(1);
  line.cut();
  await until("a change that it does not see", () => other.put("a", "2").then(Boolean, never));
  await other.remove("a");
  await other.put("b", "3");
  await server.compact();
  await server.stop();
  await server.start();
  line.heal();
  await until("it knows what is left", () => here.known.get("b") === "3" && !here.known.has("a"));
  expect(here.changes.filter((change) => "all" in change)).toHaveLength(2);
});

test("an etcd that has lost its data is noticed, whatever its revision is", async () => {
  await using server = await etcdServer();
  await using shared = etcd({ endpoints: [server.endpoint], prefix: "/t/", livenessSeconds: 3 });
  using here = follow(shared, "");
  await shared.put("old", "1");
  await shared.put("alive/me", "1", { whileAlive: true });
  await until("told", () => here.known.size === 2);
  await server.startEmpty();
  await using other = etcd({ endpoints: [server.endpoint], prefix: "/t/", livenessSeconds: 3 });
  for (let i = 0; i < 20; i++) await other.put("new", `${i}`);
  await until("only what is there is known, and who lives has said so", () => {
    const known = JSON.stringify([...here.known].sort());
    return known === '[["alive/me","1"],["new","19"]]';
  });
});

test("with etcd away there are few requests and few connections, and no node comes with the others", async () => {
  await using server = await etcdServer();
  await using line = await wire(server.port, await freePort());
  const requests: string[] = [];
  await using shared = etcd({
    endpoints: [url(line.port)],
    prefix: "/t/",
    livenessSeconds: 6,
    onRequest: (path) => void requests.push(path),
  });
  const following = ["nodes/", "alive/", "blocks/", "fixed/", "egress/"].map((prefix) => follow(shared, prefix));
  await shared.put("alive/me", "1", { whileAlive: true });
  await until("all are connected", () => following.every(({ connections }) => connections.length === 1));
  expect(line.connections).toBe(1);
  requests.length = 0;
  await sleep(7_000);
  // Idle: only the lease is kept alive, three times in its length; a busy machine is late now and then.
  expect(new Set(requests)).toEqual(new Set(["/etcdserverpb.Lease/LeaseKeepAlive"]));
  expect(requests.length).toBeGreaterThanOrEqual(2);
  expect(requests.length).toBeLessThanOrEqual(8);
  requests.length = 0;
  await server.stop();
  await sleep(10_000);
  // 5 watches and the lease, each after 0.1, 0.2, 0.4 … 5 s or a half of it.
  expect(requests.length).toBeLessThan(75);
  expect(line.connections).toBeLessThan(25);
  await server.start();
  await until("all are connected again", () => following.every(({ connections }) => connections.at(-1) === true));
  for (const each of following) each[Symbol.dispose]();
  await Promise.all(following.map(({ done }) => done));
});

test("more keys than fit one answer are listed as they were at one time", async () => {
  await using server = await etcdServer();
  await using shared = etcd({ endpoints: [server.endpoint], prefix: "/t/", livenessSeconds: 30 });
  const keys = Array.from({ length: 2_500 }, (_, i) => `k/${String(i).padStart(5, "0")}`);
  for (let at = 0; at < keys.length; at += 250)
    await Promise.all(keys.slice(at, at + 250).map((key) => shared.put(key, "x")));
  const [listed] = await Promise.all([
    shared.list("k/"),
    Promise.all(keys.slice(-100).map((key) => shared.remove(key))),
  ]);
  // Either none or all of a prefix of the removals were done before the first page.
  expect(listed.length).toBeGreaterThanOrEqual(2_400);
  expect(listed.map(({ key }) => key)).toEqual(keys.filter((key) => listed.some((entry) => entry.key === key)));
  expect((await shared.list("k/")).map(({ key }) => key)).toEqual(keys.slice(0, 2_400));
});

needing({ file: ETCD }, "root", { program: "nft" })(
  "a partition in which packets vanish is over when they arrive again",
  async () => {
    await using server = await etcdServer();
    await using line = await wire(server.port, await freePort());
    await using shared = etcd({ endpoints: [url(line.port)], prefix: "/t/", livenessSeconds: 60 });
    using here = follow(shared, "");
    await shared.put("k", "1");
    await until("told", () => here.known.get("k") === "1");
    const nft = (text: string): void => void execFileSync("nft", ["-f", "-"], { input: text });
    // A machine that goes down refuses connections at first, and is then silent.
    line.cut();
    await until("it is noticed", () => here.connections.at(-1) === false);
    await sleep(1_500);
    nft(`table inet partition {
      chain in { type filter hook input priority 0; tcp dport ${line.port} drop; }
    }`);
    try {
      line.heal();
      // TCP itself tries again after 19 s, and then after 35 s (before Linux 6.5: 15 and 31 s).
      await sleep(22_000);
    } finally {
      nft("delete table inet partition");
    }
    const began = performance.now();
    await until("it is found again", () => here.connections.at(-1) === true);
    expect(performance.now() - began).toBeLessThan(8_000);
    await until("and answers", () => shared.put("k", "2").then(Boolean, never));
    await until("told", () => here.known.get("k") === "2");
  },
);

test("a store that is closed keeps nothing open, whether etcd is there or not", async () => {
  await using server = await etcdServer();
  const visit = async (endpoint: string): Promise<string> => {
    const program = join(import.meta.dirname, "visitor.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [program, endpoint], { timeout: 20_000 });
    return stdout;
  };
  expect(await visit(server.endpoint)).toBe("closed");
  expect(await visit(url(await freePort()))).toBe("closed");
  const { kvs } = (await server.call("/v3/kv/range", { key: Buffer.from("/visit/alive/me").toString("base64") })) as {
    kvs: { lease: string }[];
  };
  // Its entry outlives it by the length of the lease, no longer.
  expect(kvs).toHaveLength(1);
  await until("the entry is gone", async () => {
    const { count } = await server.call("/v3/kv/range", { key: Buffer.from("/visit/alive/me").toString("base64") });
    return count === undefined;
  });
});

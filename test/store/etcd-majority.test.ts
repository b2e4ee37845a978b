/** Three members: the leader goes, and then the majority. */
import { expect } from "@jest/globals";
import { etcd } from "#lib/store/etcd/etcd.ts";
import { follow, until } from "#lib/store/shared-contract.ts";
import { needing } from "../support/requirement.ts";
import { ETCD, etcdCluster } from "./etcd-server.ts";

const test = needing({ file: ETCD });
const never = (): boolean => false;

test("a leader's end costs a moment; without a majority nothing is believed, and with one all goes on", async () => {
  await using cluster = await etcdCluster(["one", "two", "three"]);
  const { members } = cluster;
  const leader = await cluster.leader();
  const [second, third] = members.filter((member) => member !== leader);
  if (second === undefined || third === undefined) throw new Error("three members");
  const endpoints = [leader, second, third].map(({ endpoint }) => endpoint);
  const options = { endpoints, prefix: "/t/", livenessSeconds: 5 };
  await using one = etcd({ ...options, random: () => 0 });
  await using two = etcd({ ...options, random: () => 0.9 });
  using here = follow(one, "");
  using there = follow(two, "");
  await one.put("k", "1");
  await one.put("alive/one", "1", { whileAlive: true });
  await until("both are told", () => here.known.size === 2 && there.known.size === 2);

  await leader.stop();
  await until("another leads", () => one.put("k", "2").then(Boolean, never), 20_000);
  await until("both are told", () => here.known.get("k") === "2" && there.known.get("k") === "2", 20_000);

  await second.stop();
  const began = performance.now();
  await expect(two.get("k")).rejects.toMatchObject({ failure: { kind: "store" } });
  expect(performance.now() - began).toBeLessThan(10_000);
  // The third is there and would answer with what it has, which may be old.
  await until("no watch counts as connected", () => [here, there].every((each) => each.connections.at(-1) === false));
  await expect(two.put("k", "lost", { if: "absent" })).rejects.toMatchObject({ failure: { kind: "store" } });

  await leader.start();
  await until("with two of three", () => two.put("k", "3").then(Boolean, never), 30_000);
  await until("both are told", () => here.known.get("k") === "3" && there.known.get("k") === "3", 30_000);
  await until("who lives is there again", () => two.get("alive/one").then(Boolean, never), 20_000);
}, 150_000);

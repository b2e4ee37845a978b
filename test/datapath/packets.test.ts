import type { ChildProcess } from "node:child_process";
import { expect, test } from "@jest/globals";
import { nft, run } from "./iproute.ts";
import { missing } from "./missing.ts";
import { ask, HOST, makeNode, makePod, NODE, pings, serve } from "./node.ts";

const gateway = { isDefaultGateway: true };
const lacking = missing().length > 0;
const onRoot = lacking ? test.skip : test;
const servers: ChildProcess[] = [];
if (!lacking) {
  makeNode();
  makePod("dp-p1", { type: "ptp", addresses: ["10.1.0.2/24", "fd01::2/64"], hostPort: 8001 });
  makePod("dp-p2", { type: "ptp", addresses: ["10.1.0.3/24", "fd01::3/64"], hostPort: 8002 });
  makePod("dp-b1", { type: "bridge", config: gateway, addresses: ["10.2.0.2/24", "fd02::2/64"], hostPort: 8003 });
  makePod("dp-b2", { type: "bridge", config: gateway, addresses: ["10.2.0.3/24", "fd02::3/64"], hostPort: 8004 });
  servers.push(...(await Promise.all(["dp-p1", "dp-p2", "dp-b1", "dp-b2", "dp-outside"].map((pod) => serve(pod)))));
}
process.on("exit", () => {
  for (const server of servers) server.kill();
});

const reach: [from: string, to: string][] = [
  ["dp-p1", NODE[4]],
  ["dp-p1", NODE[6]],
  ["dp-p1", "10.1.0.3"],
  ["dp-p1", "fd01::3"],
  ["dp-p1", "10.2.0.2"],
  ["dp-p1", "fd02::2"],
  ["dp-b1", "10.2.0.1"],
  ["dp-b1", "fd02::1"],
  ["dp-b1", "10.2.0.3"],
  ["dp-b1", "fd02::3"],
  ["dp-b1", "fd01::2"],
  ["dp-b1", NODE[4]],
  ["dp-b1", NODE[6]],
];
const asked: [from: string, host: string, port: number, seen: string][] = [
  // Out of the cluster under the node's address, inside it under the pod's own.
  ["dp-p1", "192.0.2.2", 80, "192.0.2.1"],
  ["dp-p1", "2001:db8::2", 80, "2001:db8::1"],
  ["dp-b1", "192.0.2.2", 80, "192.0.2.1"],
  ["dp-b1", "2001:db8::2", 80, "2001:db8::1"],
  ["dp-p1", "10.1.0.3", 80, "10.1.0.2"],
  ["dp-p1", "10.2.0.3", 80, "10.1.0.2"],
  // Host ports: from another machine, the node's own address, its loopback, another pod, the pod itself.
  ["dp-outside", NODE[4], 8001, "192.0.2.2"],
  ["dp-outside", NODE[6], 8001, "2001:db8::2"],
  ["dp-outside", NODE[4], 8003, "192.0.2.2"],
  ["dp-outside", NODE[6], 8003, "2001:db8::2"],
  [HOST, NODE[4], 8001, "192.0.2.1"],
  [HOST, NODE[6], 8003, "2001:db8::1"],
  [HOST, "127.0.0.1", 8001, "192.0.2.1"],
  [HOST, "127.0.0.1", 8003, "10.2.0.1"],
  [HOST, "::1", 8001, "ECONNREFUSED"],
  ["dp-p2", NODE[4], 8001, "10.1.0.3"],
  ["dp-p1", NODE[4], 8001, "192.0.2.1"],
  ["dp-b1", NODE[4], 8001, "10.2.0.2"],
  ["dp-b1", NODE[4], 8004, "10.2.0.1"],
  ["dp-b1", NODE[6], 8004, "fd02::1"],
  ["dp-b1", NODE[4], 8003, "10.2.0.1"],
  ["dp-b1", NODE[6], 8003, "fd02::1"],
  ["dp-outside", NODE[4], 8009, "ECONNREFUSED"],
];

onRoot.each(reach)("%s reaches %s", (from, to) => expect(pings(from, to)).toBe(true));
onRoot.each(asked)("%s asks %s port %i and is seen as %s", (from, host, port, seen) =>
  expect(ask(from, host, port)).toBe(seen),
);
test("the tables have cases", () => expect([reach.length, asked.length]).toEqual([13, 23]));

onRoot("a port on one address of the node is there and nowhere else", () => {
  nft(HOST, "add element inet selvedge ports4_ip { 192.0.2.1 . tcp . 8010 : 10.1.0.2 . 80 }");
  expect(ask("dp-outside", NODE[4], 8010)).toBe("192.0.2.2");
  expect(ask(HOST, "127.0.0.1", 8010)).toBe("ECONNREFUSED");
});

onRoot.each([
  ["dp-p1", "10.1.0.99/32", "192.0.2.1"],
  ["dp-p1", "10.1.0.3/32", "10.2.0.2"],
  ["dp-p1", "fd01::99/128", NODE[6]],
  ["dp-b1", "10.2.0.99/24", "10.2.0.3"],
  ["dp-b1", "fd02::99/64", "fd02::3"],
])("%s cannot send as %s", (pod, stolen, to) => {
  const from = stolen.split("/")[0] ?? "";
  run(pod, `ip addr add ${stolen} dev eth0${stolen.includes(":") ? " nodad" : ""}`);
  expect(pings(pod, to, { from, seconds: 1 })).toBe(false);
  run(pod, `ip addr del ${stolen} dev eth0`);
  expect(pings(pod, to)).toBe(true);
});

onRoot.each([
  ["dp-p1", NODE[4]],
  ["dp-b1", "10.2.0.3"],
])("%s cannot send from another MAC", (pod, to) => {
  const mac = run(pod, `cat /sys/class/net/eth0/address`).trim();
  run(pod, `ip link set eth0 address 02:00:00:00:00:99`);
  expect(pings(pod, to, { seconds: 1 })).toBe(false);
  run(pod, `ip link set eth0 address ${mac}`);
});

onRoot("stops the servers", () => {
  for (const server of servers) expect(server.kill()).toBe(true);
});

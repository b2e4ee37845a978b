/** One stream of TCP, and one packet at a time, between two pods. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { inside, type World } from "./world.ts";

const run = (namespace: string, argv: readonly string[]): string => {
  const [program = "", ...rest] = inside(namespace, argv);
  return execFileSync(program, rest, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
};

/** Gigabits in a second that the other pod has got. */
export async function throughput({ client, server, address }: World, seconds: number): Promise<number> {
  const [program = "", ...argv] = inside(server, ["iperf3", "--server", "--one-off", "--bind", address]);
  const child = spawn(program, argv, { stdio: "ignore" });
  const ended = once(child, "exit");
  while (!run(server, ["ss", "-Hltn", "sport = :5201"]).includes(address)) await sleep(20);
  const told = run(client, ["iperf3", "--client", address, "--time", String(seconds), "--omit", "0.3", "--json"]);
  await ended;
  const { end } = JSON.parse(told) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second / 1e9;
}

/** Round trips, milliseconds. */
export function roundTrips({ client, address }: World, count: number): number[] {
  const told = run(client, ["ping", "-n", "-i", "0.002", "-c", String(count), address]);
  const times = Array.from(told.matchAll(/ time=([\d.]+) ms/g), ([, ms]) => Number(ms));
  if (times.length < count) throw new Error(`${count - times.length} of ${count} pings to ${address} were lost`);
  return times;
}

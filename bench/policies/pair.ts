/** A pod that sends to another, and how fast the kernel takes what it sends. */
import { execFileSync } from "node:child_process";
import { inside } from "../throughput/world.ts";
import { type End, writeFrames } from "./frames.ts";

export interface Pair {
  /** Names of namespaces. */
  readonly client: string;
  readonly server: string;
  readonly from: End;
  /** The server's address; MAC of the client's gateway. */
  readonly to: End;
}

export const PORT = 9_000;
/** Nobody may send there. */
const CLOSED_PORT = 9_001;
const CONNECTIONS = 2_000;

/** What arrives is counted, and not answered: each packet goes on being a connection's first. */
const SILENT = `table inet silent {
  counter arrived {}
  chain in { type filter hook input priority 0; udp dport { ${PORT}, ${CLOSED_PORT} } counter name arrived drop; }
}`;

export const makeSilent = (server: string): void =>
  void execFileSync(...programOf(inside(server, ["nft", SILENT])), { stdio: "pipe" });

/** Packets a second. @throws Error when one that is allowed does not arrive, or one that is not does */
export function packetsPerSecond(pair: Pair, file: string, packets: number): number {
  const times = Math.max(Math.round(packets / CONNECTIONS), 1);
  if (send(pair, file, CLOSED_PORT, 1).arrived > 0) throw new Error("what no policy allows has arrived");
  const { rate, arrived } = send(pair, file, PORT, times);
  if (arrived < CONNECTIONS * times) throw new Error(`of ${CONNECTIONS * times} packets ${arrived} have arrived`);
  return rate;
}

function send({ client, server, from, to }: Pair, file: string, port: number, times: number) {
  writeFrames(file, from, to, port, CONNECTIONS);
  const before = received(server);
  const options = ["--intf1=eth0", "--topspeed", "--preload-pcap", `--loop=${times}`];
  const said = execFileSync(...programOf(inside(client, ["tcpreplay", ...options, file])), {
    encoding: "utf8",
    stdio: "pipe",
  });
  const rate = Number(/, ([\d.]+) pps/.exec(said)?.[1]);
  if (!(rate > 0)) throw new Error(`tcpreplay said no rate: ${said}`);
  return { rate, arrived: received(server) - before };
}

function received(namespace: string): number {
  const said = execFileSync(...programOf(inside(namespace, ["nft", "list", "counter", "inet", "silent", "arrived"])), {
    encoding: "utf8",
  });
  const count = /packets (\d+)/.exec(said)?.[1];
  if (count === undefined) throw new Error(`nft said no count: ${said}`);
  return Number(count);
}

/** An argument list as `execFileSync` takes it. */
export const programOf = ([program = "", ...argv]: readonly string[]): [string, string[]] => [program, argv];

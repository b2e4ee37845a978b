/** Pods that serve and probe (peer.py), one process in each namespace. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { inside, start, stop } from "../../conformance/program.ts";

export interface Peer {
  /** Whether the port answers. An answer that is expected has its time, however busy the machine is. */
  reaches(protocol: string, address: string, port: number, isExpected?: boolean): Promise<boolean>;
}

export interface Peers extends AsyncDisposable {
  /** By the namespace's name. */
  of(namespace: string): Peer;
  serve(namespace: string): Promise<void>;
  end(namespace: string): Promise<void>;
}

/** How long a packet that nobody answers is waited for, seconds. */
const LIMIT_S = "0.4";
/** How often it is sent again where an answer is expected. */
const LATE = 10;

export function makePeers(): Peers {
  const children = new Map<string, ChildProcess>();
  const peers = new Map<string, Peer>();
  const end = async (namespace: string): Promise<void> => {
    const child = children.get(namespace);
    children.delete(namespace);
    peers.delete(namespace);
    if (child !== undefined) await stop(child, 2_000);
  };
  return {
    of(namespace) {
      const peer = peers.get(namespace);
      if (peer === undefined) throw new Error(`nobody serves in ${namespace}`);
      return peer;
    },
    async serve(namespace) {
      const program = ["python3", join(import.meta.dirname, "peer.py"), LIMIT_S];
      const child = start(inside(namespace, program), process.env as Record<string, string>);
      children.set(namespace, child);
      const waiting = new Map<string, (seen: boolean) => void>();
      if (child.stdout === null) throw new Error("it has no output");
      const lines = createInterface(child.stdout);
      await once(lines, "line");
      lines.on("line", (line) => {
        const [name = "", seen] = line.split(" ");
        waiting.get(name)?.(seen === "yes");
        waiting.delete(name);
      });
      let probes = 0;
      const probe = (protocol: string, address: string, port: number) =>
        new Promise<boolean>((resolve) => {
          const name = `p${++probes}`;
          waiting.set(name, resolve);
          child.stdin?.write(`${name} ${protocol} ${address} ${port}\n`);
        });
      peers.set(namespace, {
        async reaches(protocol, address, port, isExpected = false) {
          for (let more = isExpected ? LATE : 0; more > 0; more--)
            if (await probe(protocol, address, port)) return true;
          return probe(protocol, address, port);
        },
      });
    },
    end,
    async [Symbol.asyncDispose]() {
      for (const namespace of [...children.keys()]) await end(namespace);
    },
  };
}

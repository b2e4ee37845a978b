/** Pings from pods, one or a hundred in a second. */
import { end, inside, run, start } from "../../conformance/program.ts";
import type { Pod } from "./node.ts";
import type { Family } from "./place.ts";

/** IP and ICMP headers, bytes. */
const HEADERS = { 4: 28, 6: 48 } as const satisfies Record<Family, number>;

/** One packet of so many bytes that nobody may take to pieces; whether it was answered. */
export async function fits(from: Pod, to: Pod, family: Family, bytes: number): Promise<boolean> {
  const size = String(bytes - HEADERS[family]);
  const argv = ["ping", `-${family}`, "-c", "1", "-W", "1", "-M", "do", "-s", size, to.address[family]];
  return (await run(inside(from.id, argv))).exit === 0;
}

export const answers = (from: Pod, to: Pod, family: Family): Promise<boolean> => fits(from, to, family, 100);

/** How far apart they are, ms. */
const APART_MS = 10;

export interface Stream {
  /** Ends it, and tells what was lost of it. */
  stop(): Promise<Loss>;
}

export interface Loss {
  readonly sent: number;
  readonly lost: number;
  /** The longest time without an answer, ms. */
  readonly longestMs: number;
}

/** A hundred pings in a second until it is stopped. */
export function ping100<F extends Family>(
  from: Pick<Pod, "id">,
  to: { readonly address: Readonly<Record<F, string>> },
  family: F,
): Stream {
  const argv = ["ping", `-${family}`, "-n", "-i", String(APART_MS / 1_000), "-W", "1", to.address[family]];
  const child = start(inside(from.id, argv), { PATH: process.env.PATH ?? "" });
  let text = "";
  child.stdout?.on("data", (bytes: Buffer) => {
    text += bytes.toString();
  });
  child.stderr?.resume();
  return {
    async stop() {
      const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
      // The last have their time to be answered.
      await new Promise((resolve) => setTimeout(resolve, 200));
      end(child, "SIGINT");
      await ended;
      return lossIn(text);
    },
  };
}

function lossIn(text: string): Loss {
  const answered = Array.from(text.matchAll(/icmp_seq=(\d+) ttl/g), ([, seq]) => Number(seq)).sort((a, b) => a - b);
  const sent = Number(/(\d+) packets transmitted/.exec(text)?.[1] ?? 0);
  // What was still under way when it ended is not lost.
  const last = answered.at(-1) ?? 0;
  const gaps = answered.map((seq, i) => seq - (answered[i - 1] ?? 0) - 1);
  const isOver = sent - last > 100;
  const longest = Math.max(0, ...gaps, isOver ? sent - last : 0);
  return {
    sent,
    lost: isOver ? sent - answered.length : last - answered.length,
    longestMs: longest * APART_MS,
  };
}

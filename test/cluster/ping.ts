/** Pings from pods, one or a hundred in a second. */
import { end, eventually, inside, run, start } from "../../conformance/program.ts";
import type { Pod } from "./node.ts";
import type { Family } from "./place.ts";

/** IP and ICMP headers, bytes. */
const HEADERS = { 4: 28, 6: 48 } as const satisfies Record<Family, number>;

export interface Reached<F extends Family> {
  readonly address: Readonly<Record<F, string>>;
}

/** One packet of so many bytes that nobody may take to pieces; whether it was answered. */
export async function fits<F extends Family>(
  from: Pick<Pod, "id">,
  to: Reached<F>,
  family: F,
  bytes: number,
): Promise<boolean> {
  const size = String(bytes - HEADERS[family]);
  const argv = ["ping", `-${family}`, "-c", "1", "-W", "1", "-M", "do", "-s", size, to.address[family]];
  return (await run(inside(from.id, argv))).exit === 0;
}

export const answers = <F extends Family>(from: Pick<Pod, "id">, to: Reached<F>, family: F): Promise<boolean> =>
  fits(from, to, family, 100);

/** How far apart they are, ms. */
const APART_MS = 10;
/** With so many further answers, what was asked before them and is not answered is lost. */
const FURTHER = 10;
const PATIENCE_MS = 10_000;

export interface Stream {
  /** Ends it when further pings are answered, or none is for ten seconds, and tells what was lost of it until then. */
  stop(): Promise<Loss>;
}

export interface Loss {
  readonly sent: number;
  readonly lost: number;
  /** The longest time without an answer, ms. */
  readonly longestMs: number;
}

/** A hundred pings in a second until it is stopped. */
export function ping100<F extends Family>(from: Pick<Pod, "id">, to: Reached<F>, family: F): Stream {
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
      const enough = answered(text).length + FURTHER;
      const goesOn = await eventually(
        "further answers",
        async () => answered(text).length >= enough || undefined,
        PATIENCE_MS,
      ).catch(() => false);
      end(child, "SIGINT");
      await ended;
      return lossIn(text, goesOn);
    },
  };
}

const answered = (text: string): number[] =>
  Array.from(text.matchAll(/icmp_seq=(\d+) ttl/g), ([, seq]) => Number(seq)).sort((a, b) => a - b);

/** @param goesOn what is behind the last answer was still under way when it ended, and is not lost */
function lossIn(text: string, goesOn: boolean): Loss {
  const seen = answered(text);
  const sent = Number(/(\d+) packets transmitted/.exec(text)?.[1] ?? 0);
  const last = seen.at(-1) ?? 0;
  const until = goesOn ? last : sent;
  const gaps = seen.map((seq, i) => seq - (seen[i - 1] ?? 0) - 1);
  return { sent, lost: until - seen.length, longestMs: Math.max(0, ...gaps, until - last) * APART_MS };
}

/** What packets between pods go through while something happens: a hundred pings a second and one long TCP connection. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../../conformance/program.ts";
import { type EchoStream, echoStream } from "../support/echo-stream.ts";
import { answers, type Loss, ping100 } from "./ping.ts";

export const RESULTS = join(import.meta.dirname, "..", "..", "bench", "results");

/** What one path has gone through. */
export interface Seen extends Loss {
  readonly path: string;
  /** The connection still stands, and has told something since. */
  readonly isStreaming: boolean;
  /** The longest time that it told nothing, ms. */
  readonly streamMs: number;
}

export interface Watched extends AsyncDisposable {
  /** Watches these paths, or all, while something happens; in their order. */
  during(fault: string, work: () => Promise<void>, names?: readonly string[]): Promise<readonly Seen[]>;
}

/** A pod's network: where it is in /run/netns, and how it is reached. */
export interface End {
  readonly id: string;
  readonly address: { readonly 4: string };
}

export interface Path {
  readonly name: string;
  readonly from: Pick<End, "id">;
  readonly to: End;
}

/** Before and after, so that there is something to compare with. */
const CALM_MS = 500;
/** After a cut TCP asks again ever later: for as long again as it has waited (RFC 6298 section 5.5). */
const PATIENCE_MS = 30_000;

/**
 * Waits until all paths lead somewhere. The connections stand from the first fault to the last. The figures go to a table `cluster-faults-<table>.md` in
 * bench/results, which is written anew with every row.
 */
export async function watch(table: string, paths: readonly Path[]): Promise<Watched> {
  await using stack = new AsyncDisposableStack();
  const watched: (Path & { readonly stream: EchoStream })[] = [];
  for (const path of paths) {
    const { name, from, to } = path;
    await eventually(name, async () => (await answers(from, to, 4)) || undefined);
    watched.push({
      ...path,
      stream: stack.use(await echoStream({ from: from.id, to: to.id, address: to.address[4] })),
    });
  }
  const rows: string[] = [];

  const write = (fault: string, seen: readonly Seen[]): void => {
    rows.push(
      ...seen.map(
        ({ path, sent, lost, longestMs, isStreaming, streamMs }) =>
          `| ${fault} | ${path} | ${sent} | ${lost} | ${longestMs} | ${isStreaming ? "kept" : "lost"} | ${streamMs} |`,
      ),
    );
    const head = "| fault | path | pings | lost | longest gap, ms | TCP | longest gap, ms |";
    mkdirSync(RESULTS, { recursive: true });
    const text = [head, "|---|---|---|---|---|---|---|", ...rows, ""].join("\n");
    writeFileSync(join(RESULTS, `cluster-faults-${table}.md`), text);
  };

  const kept = stack.move();
  return {
    async during(fault, work, names = paths.map(({ name }) => name)) {
      const chosen = watched.filter(({ name }) => names.includes(name));
      const pings = chosen.map(({ from, to }) => ping100(from, to, 4));
      for (const { stream } of chosen) stream.longestMs();
      await sleep(CALM_MS);
      await work();
      await sleep(CALM_MS);
      const losses = await Promise.all(pings.map((ping) => ping.stop()));
      const seen = await Promise.all(
        chosen.map(async ({ name, stream }, i): Promise<Seen> => {
          const loss = losses[i];
          if (loss === undefined) throw new TypeError(`no pings for ${name}`);
          const isStreaming = await goesOn(stream);
          return { path: name, ...loss, isStreaming, streamMs: stream.longestMs() };
        }),
      );
      write(fault, seen);
      return seen;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function goesOn(stream: EchoStream): Promise<boolean> {
  const { heard } = stream;
  for (const untilMs = performance.now() + PATIENCE_MS; performance.now() < untilMs && stream.ended === null; ) {
    if (stream.heard > heard) return true;
    await sleep(50);
  }
  return false;
}

/**
 * A program on Node, as the daemon is: makes attachments without daemon and plugin, each either by `kernel.apply` or by
 * sending the same messages raw. One JSON line of standard input asks for one attachment, one line of output answers.
 * It works in a network namespace of its own, so that the daemon of the run does not repair what it finds.
 */
import { createInterface } from "node:readline";
import { nodeFacts } from "#lib/datapath/node.ts";
import { indexes } from "#lib/kernel/linux/indexes.ts";
import { linux } from "#lib/kernel/linux.ts";
import type { Op } from "#lib/state/diff.ts";
import { raw } from "./raw.ts";
import { recorder } from "./recorded.ts";
import { factsOf, NO_MASQUERADE, type Shape } from "./sample.ts";

export interface Wish {
  readonly how: "raw" | "apply";
  readonly shape: Shape;
  readonly id: string;
  readonly netns: string;
  readonly number: number;
}

export interface Made {
  readonly us: number;
  /** How many datagrams the kernel was sent; for `raw`. */
  readonly datagrams?: number;
}

await using kernel = linux();
using sender = raw();
using messages = recorder();
const nextIndex = indexes(Math.random);

await kernel.apply({}, nodeFacts({ noMasquerade: NO_MASQUERADE, routerAdvertisedLinks: [] }).map(added));
for await (const line of createInterface({ input: process.stdin })) {
  const wish: Wish = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await make(wish))}\n`);
}

async function make({ how, shape, id, netns, number }: Wish): Promise<Made> {
  const facts = factsOf(shape, id, number);
  if (how === "raw") {
    const datagrams = await messages.datagrams(facts, nextIndex);
    return { us: sender.play(netns, datagrams), datagrams: datagrams.length };
  }
  const ops = facts.map(added);
  const startedMs = performance.now();
  await kernel.apply({ netns }, ops);
  return { us: (performance.now() - startedMs) * 1_000 };
}

function added(fact: ReturnType<typeof factsOf>[number]): Op {
  return { do: "add", fact };
}

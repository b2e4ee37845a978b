import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import type { Core } from "../core.ts";
import { followResources } from "./follow.ts";

test("what is told is taken over and answered, and what a router has come to is said without waiting for the next look", async () => {
  const done: string[] = [];
  const resources = {
    onTold: () => {},
    take: async () => done.push("take") === 1,
    say: async () => void done.push("say"),
  };
  const edge = { onState: (_: string) => {} };
  const stopping = new AbortController();
  const following = followResources({ resources, edge } as unknown as Core, {
    onChange: () => void done.push("change"),
    signal: stopping.signal,
  });
  const told = async (count: number) => {
    for (let i = 0; i < 100 && done.length < count; i++) await sleep(20);
    return done;
  };
  expect(await told(3)).toEqual(["take", "change", "say"]);
  edge.onState("edge1");
  resources.onTold();
  expect(await told(5)).toEqual(["take", "change", "say", "take", "say"]);
  stopping.abort();
  await following;
});

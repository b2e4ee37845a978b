/** DEL in every state of forgetfulness: it ends well, takes what it names and nothing else. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import type { Asked } from "../support/invocation.ts";
import { everything, LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const runs = needing(...LIVE);
const wish = { config: everything(8_080) };

let live: LiveNode;
beforeAll(async () => {
  if (runs === test.skip) return;
  live = await makeLiveNode({ name: "dl", config: { ipam: { coolDownSeconds: 0 } } });
  await live.pods("dl-a");
});
afterAll(async () => live?.[Symbol.asyncDispose]());

const nothingLeft = () =>
  eventually("nothing is left", async () => ((await live.left()).length === 0 ? true : undefined));

const FORGETFUL: readonly [name: string, asked: Asked][] = [
  ["as the ADD was", wish],
  ["without a namespace", { ...wish, variables: { CNI_NETNS: "" } }],
  ["with a namespace that is not there", { ...wish, variables: { CNI_NETNS: "/run/netns/dl-none" } }],
  ["without anything but the name", {}],
  ["with another type of attachment", { config: { attachment: "bridge", bridge: "dl-br" } }],
  ["with other ranges", { config: { ipam: { ranges: [[{ subnet: "10.9.0.0/24" }]] } } }],
  ["with a network that is not configured any more", { config: { network: "gone" } }],
  ["with an earlier version", { config: { cniVersion: "0.3.1" } }],
];

runs("there are cases", () => expect(FORGETFUL.length).toBe(8));

runs.each(FORGETFUL)("%s, twice", async (_name, asked) => {
  expect(await live.ask("ADD", "dl-a", wish)).toMatchObject({ exit: 0 });
  for (let i = 0; i < 2; i++) expect(await live.ask("DEL", "dl-a", asked)).toMatchObject({ exit: 0, stdout: "" });
  await nothingLeft();
});

runs("a late DEL of the old container leaves the new one of the same pod alone", async () => {
  // The runtime gives the new sandbox the namespace, the interface name and the host port of the old one.
  const same = { ...wish, variables: { CNI_NETNS: "/run/netns/dl-a", CNI_ARGS: "K8S_POD_NAMESPACE=n;K8S_POD_NAME=p" } };
  expect(await live.ask("ADD", "dl-old", same)).toMatchObject({ exit: 0 });
  expect(await live.ask("DEL", "dl-old", same)).toMatchObject({ exit: 0 });
  expect(await live.ask("ADD", "dl-new", same)).toMatchObject({ exit: 0 });
  const before = await live.left();
  for (let i = 0; i < 3; i++) expect(await live.ask("DEL", "dl-old", same)).toMatchObject({ exit: 0, stdout: "" });
  expect(await live.left()).toEqual(before);
  expect(await live.ask("CHECK", "dl-new", same)).toMatchObject({ exit: 0, stdout: "" });
  expect(await live.ask("DEL", "dl-new", same)).toMatchObject({ exit: 0 });
  await nothingLeft();
});

/** When it is told whether a push did harm, on a router that takes its time to answer. */
import { expect, test } from "@jest/globals";
import { trouble } from "#lib/vyos/answer.ts";
import { rig, view } from "./pusher-rig.ts";

const HARM = "by alpha: revision 2 was taken back: of 1 static routes 1 are not used any more: 10.0.0.0/26";
const SILENCE = "by alpha: revision 2 was taken back: it does not tell any more what works: router edge1: it is busy";

/** What each look after a push says of the route; of all later ones the last. */
type Look = "used" | "unused" | "silent";

test.each<[name: string, looks: Look[], phase: string, message: string]>([
  ["began before the patience was over, and found it well after", ["unused", "used"], "in-sync", ""],
  ["began after it", ["unused", "unused"], "paused", HARM],
  ["has no answer once", ["unused", "silent", "used"], "in-sync", ""],
  ["has no answer twice", ["unused", "silent", "silent"], "paused", SILENCE],
  ["has no answer once, and then a bad one", ["unused", "silent", "unused"], "paused", HARM],
])("a look that %s", async (_name, looks, phase, message) => {
  const { router, one, later } = rig({ verifyMs: 30_000 });
  let left: Look[] | undefined;
  router.tells = ([what]) => {
    if (what !== "ip") return "";
    const [look = "used", ...rest] = left ?? [];
    if (left !== undefined) later(31_000);
    if (rest.length > 0) left = rest;
    if (look === "silent") throw trouble("edge1", "busy", "it is busy");
    return `${look === "used" ? "S>*" : "S  "} 10.0.0.0/26 [1/0] via 192.0.2.11, eth1, weight 1, 00:00:05`;
  };
  await one.pass(view(1), "news");
  router.between = () => {
    router.between = undefined;
    left = looks;
  };
  await one.pass(view(2), "news");
  expect(one.status).toMatchObject({ phase, message });
});

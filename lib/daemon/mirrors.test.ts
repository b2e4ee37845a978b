import { expect, test } from "@jest/globals";
import { hostLinkName } from "#lib/attach/names.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { keyedLock } from "#lib/lock.ts";
import type { Op } from "#lib/state/diff.ts";
import { line } from "#lib/state/line.ts";
import { sampleRecord } from "#lib/store/sample-record.ts";
import type { Change } from "#lib/store/store.ts";
import { contested } from "./contested.ts";
import type { Core } from "./core.ts";
import { NODE } from "./host.ts";
import { allMirrors, startMirror } from "./mirrors.ts";
import { table } from "./table.ts";

const KEYS = ["c1", "c2"].map((containerId) => ({ containerId, ifname: "eth0" }));
const wish = (key: (typeof KEYS)[number]) =>
  ({ key, to: "vxlan:192.0.2.9:42", direction: "out", filter: "", seconds: 60 }) as const;

test("a mirror that cannot begin leaves the tunnel to another that has begun meanwhile", async () => {
  const known = table(contested);
  for (const key of KEYS)
    known.put(
      sampleRecord({ ...key, facts: [{ type: "link", at: "host", name: hostLinkName(key), kind: "veth", up: true }] }),
    );
  const [first, second] = KEYS;
  if (first === undefined || second === undefined) throw new Error("two pods");
  const there = new Set<string>();
  const apply = async (_: object, ops: readonly Op[]) => {
    if (ops.some(({ do: verb, fact }) => verb === "add" && fact.type === "mirror" && fact.link === hostLinkName(first)))
      throw new SelvedgeError({ kind: "kernel", call: "tc", errno: 12 }, "no memory");
    for (const { do: verb, fact } of ops)
      if (verb === "add") there.add(line({ do: "add", fact }));
      else there.delete(line({ do: "add", fact }));
  };
  let commits = 0;
  const commit = async (_: readonly Change[]) => {
    commits++;
    // The second is that by which the first mirror is forgotten.
    if (commits === 2) await startMirror(core, wish(second));
  };
  const kernel = { apply, look: async () => [] };
  const core = {
    table: known,
    lock: keyedLock(),
    hosts: new Map([[NODE, { name: NODE, kernel }]]),
    store: { commit },
    nowMs: () => 0,
    log: () => undefined,
  } as unknown as Core;
  await expect(startMirror(core, wish(first))).rejects.toThrow("no memory");
  expect(allMirrors(core).map(({ record }) => record.containerId)).toEqual(["c2"]);
  expect([...there].map((text) => text.split(" ").slice(0, 2).join(" "))).toEqual(["+ link", "+ fdb", "+ filter"]);
});

import { expect, test } from "@jest/globals";
import type { Resource } from "#lib/config/resources.ts";
import type { Change, Named } from "#lib/store/store.ts";
import { changesOf, keptOf } from "./kept.ts";

const one: Resource = { kind: "Network", name: "b", spec: { mtu: 1_400 } };
const other: Resource = { kind: "AddressPool", name: "a", spec: { ranges: [] }, isLeaving: true };

/** A store as the changes leave it. */
function written(changes: readonly Change[], before: readonly Named[] = []): Named[] {
  const all = new Map(before.map(({ name, value }) => [name, value]));
  for (const change of changes) {
    if ("put" in change && change.put === "own") all.set(change.value.name, change.value.value);
    if ("remove" in change && change.remove === "own") all.delete(change.name);
  }
  return [...all].map(([name, value]) => ({ name, value }));
}

test("what was taken is found again in its order, and nothing else is touched", () => {
  const uid = { name: "uid", value: "u" };
  const store = written(changesOf([], [one, other]), [uid]);
  expect(keptOf(store)).toEqual([one, other]);
  const later = written(changesOf([one, other], [other]), store);
  expect(keptOf(later)).toEqual([other]);
  expect(later).toContainEqual(uid);
  expect(written(changesOf([other], []), later)).toEqual([uid]);
});

test("what is the same is not written again", () => expect(changesOf([one, other], [one, other])).toEqual([]));

test("what cannot be read is as good as nothing", () =>
  expect(keptOf([{ name: "resource/Network n", value: '{"kind":"Netwrok","place":0}' }])).toEqual([]));

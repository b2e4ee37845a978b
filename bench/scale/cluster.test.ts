import { expect, test } from "@jest/globals";
import { clusterView } from "#lib/cluster/view.ts";
import { joining, nameOf, recordsOf, type Shape } from "./cluster.ts";

const SHAPE: Shape = { nodes: 300, podsOfNode: 30, fixedOfNode: 2 };

test("a node that reads the records understands all of them", () => {
  const view = clusterView("somebody-else");
  const { refused, nodes } = view.take({ all: recordsOf(SHAPE) });
  expect(refused).toEqual([]);
  expect([nodes.size, view.nodes.size, view.alive.size]).toEqual([300, 300, 300]);
  expect(view.destinationsOf(nameOf(259)).map(({ prefix }) => prefix)).toEqual([
    "10.64.64.168/32",
    "10.64.64.169/32",
    "10.64.64.192/26",
    "fd66::40a8/128",
    "fd66::40a9/128",
    "fd66::40c0/122",
  ]);
});

test("no two nodes share anything", () => {
  const view = clusterView("somebody-else");
  view.take({ all: recordsOf(SHAPE) });
  const of = [...view.nodes.values()];
  for (const each of [
    of.map(({ uid }) => uid),
    of.map(({ tunnelMac }) => tunnelMac),
    of.flatMap(({ addresses }) => addresses),
    of.flatMap(({ name }) => view.destinationsOf(name).map(({ prefix }) => prefix)),
  ])
    expect(new Set(each).size).toBe(each.length);
});

test("a node more brings its record, its life and a block of each family", () => {
  expect(joining(SHAPE, 300).map(({ key }) => key)).toEqual([
    "nodes/node-00300",
    "alive/node-00300",
    "blocks/default/10.64.75.0-26",
    "blocks/default/fd66::4b00-122",
  ]);
});

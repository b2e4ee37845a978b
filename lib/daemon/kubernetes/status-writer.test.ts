import { expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
import type { PodName } from "#lib/k8s/objects.ts";
import type { Event } from "#lib/log.ts";
import { sampleRecord } from "#lib/store/sample-record.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import { eventually } from "../../../conformance/program.ts";
import { contested } from "../contested.ts";
import { table } from "../table.ts";
import { statusWriter } from "./status-writer.ts";

/** A pod on two networks. */
const record = (name: string, more: Partial<AttachmentRecord> = {}): AttachmentRecord => {
  const sandbox = `/run/netns/${name}`;
  return sampleRecord({
    containerId: name,
    netns: sandbox,
    pod: `shop/${name}`,
    args: `K8S_POD_UID=uid-${name}`,
    planes: [
      { name: "net", ifname: "eth0", type: "ptp", leads: true },
      { name: "media", ifname: "net1", type: "ptp", definition: "shop/media" },
    ],
    result: JSON.stringify({
      interfaces: [
        { name: "eth0", mac: "02:00:00:00:00:01", sandbox },
        { name: "net1", sandbox },
      ],
      ips: [{ address: "10.1.0.5/16", interface: 0 }],
      routes: [{ dst: "0.0.0.0/0", gw: "169.254.1.1" }],
      dns: {},
    }),
    createdMs: 1,
    ...more,
  });
};
const STATUS = JSON.stringify([
  {
    name: "net",
    interface: "eth0",
    ips: ["10.1.0.5"],
    mac: "02:00:00:00:00:01",
    default: true,
    gateway: ["169.254.1.1"],
  },
  { name: "shop/media", interface: "net1", default: false },
]);

function rig(
  records: readonly AttachmentRecord[],
  standing: Record<string, string> = {},
  message = "",
  { firstMs, longestMs } = { firstMs: 1, longestMs: 5 },
) {
  const here = table(contested);
  for (const each of records) here.put(each);
  const written: [pod: PodName, text: string][] = [];
  const events: Event[] = [];
  const stopping = new AbortController();
  const trouble = { message, tries: 0, of: "" };
  const writer = statusWriter(
    { table: here, log: (event) => void events.push(event) },
    {
      standing: (pod) => standing[pod],
      async write(pod, text) {
        trouble.tries++;
        if (trouble.message !== "" || trouble.of === pod.name)
          throw new SelvedgeError({ kind: "not-ready" }, trouble.message);
        written.push([pod, text]);
        return pod.name !== "gone";
      },
      firstMs,
      longestMs,
    },
  );
  const done = writer.run(stopping.signal);
  return {
    writer,
    written,
    events,
    trouble,
    here,
    names: () => written.map(([{ name }]) => name),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await done;
    },
  };
}

test("what is attached at a start is told of unless Kubernetes knows it, and then every ADD", async () => {
  await using one = rig([record("a"), record("b")], { "shop/a": STATUS });
  await eventually("the one that is not known", async () => one.names().length === 1 || undefined);
  expect(one.written).toEqual([[{ namespace: "shop", name: "b", uid: "uid-b" }, STATUS]]);
  const next = record("c");
  one.here.put(next);
  one.writer.want(next);
  await eventually("the next", async () => one.names().length === 2 || undefined);
  expect(one.names()).toEqual(["b", "c"]);
  expect(one.events).toContainEqual({
    event: "network-status-written",
    pod: "shop/c",
    networks: ["net", "shop/media"],
  });
});

test("a pod on one network, one that is no pod, and what is not ready, are not told of", async () => {
  const { planes: _, ...single } = record("single");
  const { pod: __, ...container } = record("container");
  await using one = rig([single, container, record("early", { phase: "adding" }), record("last")]);
  await eventually("the last", async () => one.names().length > 0 || undefined);
  expect(one.names()).toEqual(["last"]);
});

test("what cannot be told is tried until it can be, and said once", async () => {
  await using one = rig([], {}, "https://192.0.2.1:6443: ECONNREFUSED");
  for (const name of ["a", "b"]) {
    one.here.put(record(name));
    one.writer.want(record(name));
  }
  await eventually("some tries", async () => one.trouble.tries > 5 || undefined);
  one.trouble.message = "";
  await eventually("both are told of", async () => one.names().length === 2 || undefined);
  expect(one.events.filter(({ event }) => event === "network-status-failed")).toEqual([
    { event: "network-status-failed", pod: "shop/a", message: "https://192.0.2.1:6443: ECONNREFUSED" },
  ]);
});

test("a pod of which it cannot be told does not hold up the others", async () => {
  await using one = rig([]);
  one.trouble.of = "a";
  for (const name of ["a", "b", "c"]) {
    one.here.put(record(name));
    one.writer.want(record(name));
  }
  await eventually("the others are told of", async () => one.names().length === 2 || undefined);
  expect(one.names()).toEqual(["b", "c"]);
  one.trouble.of = "";
  await eventually("and that one when it can be", async () => one.names().length === 3 || undefined);
});

test("a pod that comes does not wait until another may be tried again", async () => {
  const hourMs = 3_600_000;
  await using one = rig([], {}, "", { firstMs: hourMs, longestMs: hourMs });
  one.trouble.of = "a";
  const come = (name: string) => {
    one.here.put(record(name));
    one.writer.want(record(name));
  };
  for (const name of ["a", "b"]) come(name);
  await eventually("the one that came with it", async () => one.names().length === 1 || undefined);
  come("c");
  await eventually("the one that came later", async () => one.names().length === 2 || undefined);
  expect(one.names()).toEqual(["b", "c"]);
  expect(one.trouble.tries).toBe(3);
});

test("what went meanwhile is not told of, and of a pod's sandboxes the newest is", async () => {
  await using one = rig([record("old", { pod: "shop/a" })], {}, "away");
  await eventually("a try", async () => one.trouble.tries > 0 || undefined);
  const [gone, newer] = [record("x"), record("new", { pod: "shop/a", args: "", createdMs: 2 })];
  for (const each of [gone, newer]) {
    one.here.put(each);
    one.writer.want(each);
  }
  one.here.remove(gone);
  one.trouble.message = "";
  await eventually("the newer", async () => one.written.length > 0 || undefined);
  const after = record("after");
  one.here.put(after);
  one.writer.want(after);
  await eventually("another", async () => one.names().includes("after") || undefined);
  expect(one.written.map(([pod]) => pod)).toEqual([
    { namespace: "shop", name: "a" },
    { namespace: "shop", name: "after", uid: "uid-after" },
  ]);
});

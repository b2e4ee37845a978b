import { expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
import { fc } from "../../test/support/property.ts";
import { plugin, type Surroundings } from "./plugin.ts";
import { type Request, VERBS } from "./types.ts";

const CONFIG = '{"cniVersion":"1.0.0","name":"net1"}';
const ADD = { CNI_COMMAND: "ADD", CNI_CONTAINERID: "c1", CNI_NETNS: "/pod", CNI_IFNAME: "eth0", CNI_PATH: "/bin" };

/** A world in which every verb succeeds, and what was done to it. */
function world(of: Partial<Surroundings> = {}) {
  const asked: [string, Request, number][] = [];
  const queued: Request[] = [];
  const inodes: Record<string, number> = { "/proc/self/ns/net": 1, "/host": 1, "/pod": 2 };
  const around: Surroundings = {
    variables: ADD,
    stdin: async () => new TextEncoder().encode(CONFIG),
    inode: async (path) => inodes[path] ?? 0,
    ask: async (verb, request, deadlineMs) => {
      asked.push([verb, request, deadlineMs]);
      return { result: new TextEncoder().encode(verb === "ADD" ? "{}" : "") };
    },
    loopback: async (verb, { cniVersion, netns }) => `${verb} ${cniVersion} ${netns}`,
    enqueue: async (request) => void queued.push(request),
    ...of,
  };
  return { around, asked, queued };
}
const away = async () => {
  throw new SelvedgeError({ kind: "not-ready" }, "away");
};

test("under the name loopback nobody is asked", async () => {
  const config = CONFIG.replace("}", ',"type":"loopback"}');
  const { around, asked } = world({ stdin: async () => new TextEncoder().encode(config) });
  expect(await plugin(around)).toEqual({ exit: 0, out: "ADD 1.0.0 /pod", err: "" });
  expect(asked).toEqual([]);
});

test.each([
  ["ADD", 40_000],
  ["DEL", 15_000],
  ["CHECK", 5_000],
  ["GC", 30_000],
] as const)("%s is asked with its deadline", async (verb, deadlineMs) => {
  const config = CONFIG.replace("1.0.0", "1.1.0");
  const { around, asked } = world({
    variables: { ...ADD, CNI_COMMAND: verb },
    stdin: async () => new TextEncoder().encode(config),
  });
  expect(await plugin(around)).toEqual({ exit: 0, out: verb === "ADD" ? "{}" : "", err: "" });
  expect(asked.map(([asked, , ms]) => [asked, ms])).toEqual([[verb, deadlineMs]]);
});

test("the daemon learns the namespace's inode", async () => {
  const { around, asked } = world();
  await plugin(around);
  expect(asked[0]?.[1].netnsInode).toBe(2);
});

test.each(["ADD", "DEL", "CHECK"])("%s into the host's own namespace never reaches the daemon", async (verb) => {
  const { around, asked } = world({ variables: { ...ADD, CNI_COMMAND: verb, CNI_NETNS: "/host" } });
  expect(JSON.parse((await plugin(around)).out)).toMatchObject({ cniVersion: "1.0.0", code: 8 });
  expect(asked).toEqual([]);
});

test("only a DEL is queued, and only when the daemon is away or hangs", async () => {
  for (const [verb, kind, queues] of [
    ["DEL", "not-ready", 1],
    ["DEL", "deadline", 1],
    ["DEL", "store", 0],
    ["ADD", "not-ready", 0],
  ] as const) {
    const { around, queued } = world({
      variables: { ...ADD, CNI_COMMAND: verb },
      ask: async () => {
        throw new SelvedgeError({ kind }, kind);
      },
    });
    expect((await plugin(around)).exit).toBe(queues === 1 ? 0 : 1);
    expect(queued).toHaveLength(queues);
  }
});

test("a DEL that the daemon's disk refuses is queued; where the queue is full too, the daemon's error is the answer", async () => {
  const refusing = async () => ({ result: new Uint8Array(), error: { code: 104, msg: "disk full", details: "" } });
  const variables = { ...ADD, CNI_COMMAND: "DEL" };
  const { around, queued } = world({ variables, ask: refusing });
  expect(await plugin(around)).toEqual({ exit: 0, out: "", err: "" });
  expect(queued).toHaveLength(1);
  const { around: full } = world({ variables, ask: refusing, enqueue: away });
  expect(JSON.parse((await plugin(full)).out)).toMatchObject({ code: 104, msg: "disk full" });
  const { around: adding, queued: none } = world({ ask: refusing });
  expect((await plugin(adding)).exit).toBe(1);
  expect(none).toEqual([]);
});

test("VERSION reads nothing and asks nobody", async () => {
  const { around } = world({ variables: { CNI_COMMAND: "VERSION" }, stdin: away, ask: away });
  expect(JSON.parse((await plugin(around)).out)).toMatchObject({ cniVersion: "1.1.0" });
});

test("whatever comes in, what comes out is nothing or one JSON object", async () => {
  const name = fc.constantFrom(...Object.keys(ADD), "CNI_ARGS", "CNI_NETNS_OVERRIDE", "TRACEPARENT", "__proto__");
  const variables = fc
    .array(fc.tuple(name, fc.oneof(fc.constantFrom(...VERBS, "/host"), fc.string())))
    .map((pairs) => ({ ...ADD, ...Object.fromEntries(pairs) }));
  const stdin = fc.oneof(fc.constant(CONFIG), fc.json(), fc.string());
  await fc.assert(
    fc.asyncProperty(variables, stdin, fc.boolean(), async (variables, text, up) => {
      const { around } = world({
        variables,
        stdin: async () => new TextEncoder().encode(text),
        ...(!up && { ask: away }),
      });
      const { exit, out } = await plugin(around);
      if (exit === 1) expect(Object.keys(JSON.parse(out)).slice(0, 3)).toEqual(["cniVersion", "code", "msg"]);
      else if (out !== "") expect(typeof JSON.parse(out)).toBe("object");
    }),
    { numRuns: 10_000 },
  );
});

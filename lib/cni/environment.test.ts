import { expect, test } from "@jest/globals";
import { isFailure } from "#lib/errors.ts";
import { parseEnvironment, type Variables } from "./environment.ts";

const whole = {
  CNI_COMMAND: "ADD",
  CNI_CONTAINERID: "c1",
  CNI_NETNS: "/run/netns/t1",
  CNI_IFNAME: "eth0",
  CNI_PATH: "/opt/cni/bin",
};
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const refused: [string, Variables, string][] = [
  ["nothing at all", {}, "required env variables [CNI_COMMAND] missing"],
  [
    "only the command",
    { CNI_COMMAND: "ADD" },
    "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing",
  ],
  [
    "DEL needs no namespace",
    { CNI_COMMAND: "DEL" },
    "required env variables [CNI_CONTAINERID,CNI_IFNAME,CNI_PATH] missing",
  ],
  ["GC without a path", { CNI_COMMAND: "GC" }, "required env variables [CNI_PATH] missing"],
  ["a lower-case command", { ...whole, CNI_COMMAND: "add" }, "unknown CNI_COMMAND: add"],
  ["a slash in the id", { ...whole, CNI_CONTAINERID: "a/b" }, "invalid characters in containerID"],
  ["a line feed after the id", { ...whole, CNI_CONTAINERID: "a\n" }, "invalid characters in containerID"],
  ["a dash before the id", { ...whole, CNI_CONTAINERID: "-a" }, "invalid characters in containerID"],
  ["16 bytes of name", { ...whole, CNI_IFNAME: "éééééééé" }, "interface name is too long"],
  ["two dots", { ...whole, CNI_IFNAME: ".." }, "interface name is . or .."],
  ["a colon", { ...whole, CNI_IFNAME: "eth0:1" }, "interface name contains / or : or whitespace characters"],
  ["a tab", { ...whole, CNI_IFNAME: "e\t0" }, "interface name contains / or : or whitespace characters"],
];

test.each(refused)("%s is refused", (_name, variables, message) => {
  expect(() => parseEnvironment(variables)).toThrow(message);
  try {
    parseEnvironment(variables);
  } catch (error) {
    expect(isFailure(error, "environment-invalid")).toBe(true);
  }
});

test("a whole environment", () => {
  expect(parseEnvironment({ ...whole, CNI_ARGS: "A=1", TRACEPARENT: TRACE, TRACESTATE: "a=b" })).toEqual({
    verb: "ADD",
    containerId: "c1",
    netns: "/run/netns/t1",
    ifname: "eth0",
    args: "A=1",
    path: "/opt/cni/bin",
    allowOwnNetns: false,
    traceparent: TRACE,
    tracestate: "a=b",
  });
});

test("VERSION needs nothing", () => expect(parseEnvironment({ CNI_COMMAND: "VERSION" }).verb).toBe("VERSION"));

test("GC and STATUS do not look at the container's variables", () => {
  const { containerId, ifname } = parseEnvironment({ ...whole, CNI_COMMAND: "GC", CNI_IFNAME: "a/b" });
  expect([containerId, ifname]).toEqual(["", ""]);
});

test.each(["1", "true", "TRUE", "True"])("CNI_NETNS_OVERRIDE=%s allows the own namespace", (value) => {
  expect(parseEnvironment({ ...whole, CNI_NETNS_OVERRIDE: value }).allowOwnNetns).toBe(true);
});

test.each([
  ["an unknown form", "garbage"],
  ["upper case", TRACE.toUpperCase()],
  ["a trace of zeros", "00-00000000000000000000000000000000-b7ad6b7169203331-01"],
  ["version ff", `ff${TRACE.slice(2)}`],
  ["more in version 00", `${TRACE}-more`],
])("a traceparent with %s is dropped with its state", (_name, traceparent) => {
  const parsed = parseEnvironment({ ...whole, TRACEPARENT: traceparent, TRACESTATE: "a=b" });
  expect([parsed.traceparent, parsed.tracestate]).toEqual(["", ""]);
});

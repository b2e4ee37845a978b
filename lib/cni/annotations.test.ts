import { expect, test } from "@jest/globals";
import { readAnnotations } from "./annotations.ts";

const READ: [what: string, ifname: string, annotations: Record<string, string>, read: object][] = [
  ["nothing", "eth0", { "example.com/ips": "10.1.0.5" }, {}],
  ["a list with commas", "eth0", { "selvedge.dev/ips": "10.1.0.5, fd00::5" }, { ips: ["10.1.0.5", "fd00::5"] }],
  ["a list in JSON", "eth0", { "selvedge.dev/ips": '["10.1.0.5/16"]' }, { ips: ["10.1.0.5/16"] }],
  ["a MAC", "eth0", { "selvedge.dev/mac": "02-00-00-00-00-0A" }, { mac: "02:00:00:00:00:0a" }],
  [
    "names",
    "eth0",
    { "selvedge.dev/pool": "media", "selvedge.dev/reservation": "vm:db" },
    { pool: "media", reservation: "vm:db" },
  ],
  ["a flag", "eth0", { "selvedge.dev/keep-address": "false" }, { keepAddress: false }],
  ["plain ones are not of another interface", "net1", { "selvedge.dev/ips": "10.1.0.5" }, {}],
  [
    "each interface has its own",
    "net1",
    { "selvedge.dev/ips": "10.1.0.5", "net1.selvedge.dev/ips": "10.2.0.5" },
    { ips: ["10.2.0.5"] },
  ],
  ["its name wins", "eth0", { "selvedge.dev/pool": "a", "eth0.selvedge.dev/pool": "b" }, { pool: "b" }],
];
test.each(READ)("%s", (_what, ifname, annotations, read) => {
  expect(readAnnotations(annotations, ifname)).toEqual(read);
});

const REFUSED: [annotations: Record<string, string>, message: string][] = [
  [{ "selvedge.dev/ips": "10.1.0.500" }, 'selvedge.dev/ips: "10.1.0.500" is not an IP address'],
  [{ "selvedge.dev/ips": '["10.1.0.5"' }, 'selvedge.dev/ips: "[\\"10.1.0.5\\"" is not a list of addresses'],
  [{ "selvedge.dev/ips": "[5]" }, "selvedge.dev/ips[0]: 5 is not an IP address"],
  [{ "selvedge.dev/mac": "01:00:00:00:00:01" }, "selvedge.dev/mac"],
  [{ "selvedge.dev/keep-address": "yes" }, 'selvedge.dev/keep-address: "yes" is not true or false'],
];
test.each(REFUSED)("%j is refused", (annotations, message) => {
  expect(() => readAnnotations(annotations, "eth0")).toThrow(message);
});

import { expect, test } from "@jest/globals";
import { allocation, deviceOf, type Offer, preferred } from "./allocation.ts";

const offer = (id: string, numaNode?: number): Offer => ({
  id,
  isHealthy: true,
  nodes: [],
  ...(numaNode === undefined ? {} : { numaNode }),
});
const offers = [offer("a", 0), offer("b", 1), offer("c", 1), offer("d", 0), offer("e", 1)];

test("a device tells its NUMA node where it has one", () => {
  expect(deviceOf(offer("a", 0))).toEqual({ ID: "a", health: "Healthy", topology: { nodes: [{ ID: 0 }] } });
  expect(deviceOf({ ...offer("a"), isHealthy: false })).toEqual({ ID: "a", health: "Unhealthy" });
});

test("a container gets the addresses, and the nodes of userspace drivers once each", () => {
  const vfio = (id: string, group: string) => ({ ...offer(id), nodes: ["/dev/vfio/vfio", `/dev/vfio/${group}`] });
  expect(allocation("selvedge.dev/fast-0", [vfio("a", "1"), vfio("b", "2")])).toEqual({
    envs: [{ key: "PCIDEVICE_SELVEDGE_DEV_FAST_0", value: "a,b" }],
    mounts: [],
    devices: ["/dev/vfio/vfio", "/dev/vfio/1", "/dev/vfio/2"].map((path) => ({
      containerPath: path,
      hostPath: path,
      permissions: "rw",
    })),
    annotations: [],
  });
});

const choices: [must: string[], size: number, chosen: string[]][] = [
  [[], 2, ["b", "c"]],
  [[], 4, ["b", "c", "e", "a"]],
  [["a"], 2, ["a", "d"]],
  [["a"], 3, ["a", "d", "b"]],
  [["a", "b"], 1, ["a", "b"]],
  [[], 0, []],
];
test.each(choices)("must have %j, %d of them", (mustIncludeDeviceIDs, allocationSize, chosen) =>
  expect(
    preferred({ availableDeviceIDs: ["e", "d", "c", "b", "a"], mustIncludeDeviceIDs, allocationSize }, offers),
  ).toEqual(chosen),
);
test("the table has cases", () => expect(choices.length).toBeGreaterThan(5));

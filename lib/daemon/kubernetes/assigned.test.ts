import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { fakePodResources, podWith } from "#lib/k8s/device-plugin/fake-pod-resources.ts";
import { assignedDevices } from "./assigned.ts";

const FAST = "selvedge.dev/fast";
let directory = "";
let kubeletDir = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "kubelet-"));
  kubeletDir = join(directory, "device-plugins");
});
afterEach(() => rm(directory, { recursive: true }));
const kubelet = () =>
  fakePodResources(join(directory, "pod-resources/kubelet.sock"), [
    podWith("shop/web", { [FAST]: ["0000:3b:02.1"] }, { [FAST]: ["0000:3b:02.0"], "intel.com/x": ["0000:5e:02.0"] }),
  ]);

test("each network of a resource gets the next device of it, and kubelet is asked once", async () => {
  using node = await kubelet();
  const devices = assignedDevices({ kubeletDir }, "shop/web");
  const got: (string | undefined)[] = [];
  for (const resource of [FAST, "intel.com/x", FAST, undefined]) got.push(await devices.next(resource));
  expect(got).toEqual(["0000:3b:02.1", "0000:5e:02.0", "0000:3b:02.0", undefined]);
  expect(node.asked()).toBe(1);
});

test("one more than the pod has is refused, with what would be right", async () => {
  using _node = await kubelet();
  const devices = assignedDevices({ kubeletDir }, "shop/web");
  await devices.next("intel.com/x");
  await expect(devices.next("intel.com/x")).rejects.toMatchObject({
    failure: { kind: "config-invalid", field: "resourceName" },
    message: "resourceName: kubelet gave pod shop/web 1 of intel.com/x, and it is on more networks of it",
    hint: 'Ask for as many in resources.limits of a container: "intel.com/x": 2.',
  });
  await expect(assignedDevices({ kubeletDir }, "shop/other").next(FAST)).rejects.toThrow(
    "kubelet gave pod shop/other 0 of selvedge.dev/fast",
  );
});

test("nobody is asked when nobody needs to be, and without a kubelet the ADD is to be tried again", async () => {
  expect(await assignedDevices({}, "shop/web").next(FAST)).toBeUndefined();
  expect(await assignedDevices({ kubeletDir }, undefined).next(FAST)).toBeUndefined();
  expect(await assignedDevices({ kubeletDir }, "shop/web").next(undefined)).toBeUndefined();
  await expect(assignedDevices({ kubeletDir }, "shop/web").next(FAST)).rejects.toMatchObject({
    failure: { kind: "not-ready" },
  });
});

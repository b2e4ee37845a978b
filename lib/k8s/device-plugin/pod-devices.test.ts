import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { fakePodResources, podWith } from "./fake-pod-resources.ts";
import { podDevices } from "./pod-devices.ts";

let directory = "";
let socket = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "kubelet-"));
  socket = join(directory, "kubelet.sock");
});
afterEach(() => rm(directory, { recursive: true }));

const FAST = "selvedge.dev/fast";

test("a pod's devices are those of all its containers, by resource, and apart from those of others", async () => {
  using _kubelet = await fakePodResources(socket, [
    podWith("other/web", { [FAST]: ["0000:3b:02.7"] }),
    podWith("shop/db", { [FAST]: ["0000:3b:02.6"] }),
    podWith(
      "shop/web",
      { [FAST]: ["0000:3b:02.1"], "intel.com/x": ["0000:5e:02.0"] },
      {},
      { [FAST]: ["0000:3b:02.0"] },
    ),
  ]);
  expect(await podDevices(socket, "shop/web")).toEqual({
    own: new Map([
      [FAST, ["0000:3b:02.1", "0000:3b:02.0"]],
      ["intel.com/x", ["0000:5e:02.0"]],
    ]),
    others: new Set(["0000:3b:02.7", "0000:3b:02.6"]),
  });
  expect((await podDevices(socket, "shop/new")).own).toEqual(new Map());
});

test("a kubelet that refuses is quoted, and one that is away is waited for", async () => {
  {
    using _kubelet = await fakePodResources(socket, [], "rejected by rate limit");
    await expect(podDevices(socket, "shop/web")).rejects.toMatchObject({
      failure: { kind: "not-ready" },
      message: `${socket}: kubelet does not say which devices pods have: rejected by rate limit`,
    });
  }
  await expect(podDevices(socket, "shop/web")).rejects.toMatchObject({
    failure: { kind: "not-ready" },
  });
});

import { expect, test } from "@jest/globals";
import { refuseOffload } from "./offload.ts";

test("flow offload is refused by the name of the module where the kernel lacks it, and only where it is asked for", () => {
  expect(() => refuseOffload({ flowOffload: true }, new Set(["vxlan"]))).toThrow(
    "cluster.flowOffload: this kernel has no offloading of flows: load the module nft_flow_offload (CONFIG_NFT_FLOW_OFFLOAD)",
  );
  expect(() => refuseOffload({ flowOffload: false }, new Set())).not.toThrow();
  expect(() => refuseOffload({ flowOffload: true }, new Set(["flow-offload"]))).not.toThrow();
});

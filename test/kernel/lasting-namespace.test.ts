/** Where a tenant's router may be mounted: in a container that shares its mounts with the node, or on the node itself. */
import { expect, test } from "@jest/globals";
import { must } from "../../conformance/program.ts";
import { endsWithContainer } from "../../native/lasting-namespace.ts";
import { needing } from "../support/requirement.ts";

const OF_NODE = "21 1 0:20 / / rw,relatime shared:1 - ext4 /dev/root rw";
const OF_CONTAINER = "600 599 0:50 / / rw,relatime - overlay overlay rw";
const RUN = (fields: string) => `700 600 0:22 /selvedge /run/selvedge rw,nosuid${fields} - tmpfs tmpfs rw`;

test.each([
  ["on the node", [OF_NODE], false],
  ["on a node whose mounts nobody else sees", [OF_CONTAINER], false],
  ["where the node's mounts are seen, and seen by the node (Bidirectional)", [OF_CONTAINER, RUN(" shared:7")], false],
  ["in both ways", [OF_CONTAINER, RUN(" shared:7 master:3")], false],
  ["where the node's mounts are seen (HostToContainer)", [OF_CONTAINER, RUN(" master:3")], true],
  ["where another one covers it", [OF_CONTAINER, RUN(" master:3"), RUN(" shared:7")], false],
  ["elsewhere", [OF_CONTAINER, RUN(" master:3").replace("/run/selvedge", "/run/selvedge-other")], false],
])("%s", (_where, mounts, ends) => {
  expect(endsWithContainer("/run/selvedge/tenants/selvedge-blue", [...mounts, ""].join("\n"))).toBe(ends);
});

const ROUTER = `
  const { linuxRouters } = await import("#lib/kernel/linux-routers.ts");
  try {
    const routers = linuxRouters("/mnt/tenants");
    await routers.open("blue")[Symbol.asyncDispose]();
    console.log(routers.names().join());
    routers.remove("blue");
  } catch (error) {
    console.log(error.message);
  }
`;

needing("root").each([
  ["shared", "blue"],
  ["slave", expect.stringContaining("mounts that the daemon makes there end with its container or service")],
])("where mounts are %s the router is made, or refused", async (propagation, said) => {
  const script = [
    "mount -n -t tmpfs tmpfs /mnt && mount -n --make-shared /mnt",
    // The node's mounts are there as long as the shell is.
    `unshare --mount --propagation ${propagation} "$@"; exit $?`,
  ].join("\n");
  const node = [process.execPath, "--input-type=module", "--eval", ROUTER];
  const output = await must(["unshare", "--mount", "--net", "sh", "-ec", script, "container", ...node]);
  expect(output.trim()).toEqual(said);
});

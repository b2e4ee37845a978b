/** What is kept for a name outlives its pods and the daemon, however the daemon ends. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { BUILT } from "../../conformance/daemon.ts";
import { inside, must } from "../../conformance/program.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const runs = needing(...LIVE);
const CONFIG = {
  pools: [
    { name: "std", ranges: [[{ subnet: "10.1.0.0/24" }], [{ subnet: "fd01::/64" }]] },
    { name: "kept", ranges: [[{ subnet: "10.2.0.0/24" }]], keepAddress: true },
  ],
  defaultPool: "std",
  networks: [{ name: "kept", pool: "kept" }],
  reservations: [{ name: "default/db-0", addresses: ["10.1.0.50", "fd01::50"], mac: "02:00:00:00:00:50" }],
};

let live: LiveNode;
beforeAll(async () => {
  if (runs === test.skip) return;
  live = await makeLiveNode({ name: "rv", config: CONFIG });
  await live.pods("rv-a", "rv-b", "rv-c");
});
afterAll(async () => live?.[Symbol.asyncDispose]());

const asked = (pod: string, config = {}) => {
  const [namespace, name] = pod.split("/");
  return { config, variables: { CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name}` } };
};

async function add(id: string, pod: string, config = {}): Promise<string[]> {
  const { exit, stdout } = await live.ask("ADD", id, asked(pod, config));
  expect({ exit, stdout }).toMatchObject({ exit: 0 });
  const { ips } = JSON.parse(stdout) as { ips: { address: string }[] };
  return ips.map(({ address }) => address.replace(/\/.*/, ""));
}
const del = async (id: string) => expect(await live.ask("DEL", id)).toMatchObject({ exit: 0 });

const ctl = (...words: string[]) => {
  const { NODE_OPTIONS: _, ...environment } = process.env as Record<string, string>;
  const socket = live.daemon.environment.SELVEDGE_SOCKET;
  const program = [process.execPath, join(BUILT, "..", "cmd", "ctl.ts"), "--socket", socket, "--json", ...words];
  return must(inside(live.node.namespace, program), { environment });
};

const RESTARTS: [how: string, restart: () => Promise<void>][] = [
  ["SIGTERM", () => live.daemon.stop()],
  ["SIGKILL", () => live.daemon.kill()],
];
for (const [how, end] of RESTARTS)
  runs(`${how}: declared, reserved by hand and kept by the first ADD`, async () => {
    const made = JSON.parse(await ctl("reserve", "vm:db", "--pool", "std", "--address", "10.1.0.60")) as {
      addresses: string[];
    };
    expect(made.addresses[0]).toBe("10.1.0.60");
    const sticky = await add("rv-a", "default/web-0", { network: "kept" });
    await del("rv-a");
    await end();
    await live.daemon.start();

    expect(await add("rv-a", "default/db-0")).toEqual(["10.1.0.50", "fd01::50"]);
    expect(await live.within("rv-a", "ip", "link", "show", "eth0")).toContain("02:00:00:00:00:50");
    expect(await add("rv-b", "default/web-0", { network: "kept" })).toEqual(sticky);
    const vm = await live.ask("ADD", "rv-c", { variables: { CNI_ARGS: "RESERVATION=vm:db" } });
    expect(vm.stdout).toContain("10.1.0.60");
    await live.within("rv-a", "ping", "-c", "1", "-W", "2", "10.1.0.60");

    const { reservations } = JSON.parse(await ctl("reservations")) as {
      reservations: { name: string; holder?: { containerId: string } }[];
    };
    expect(reservations.map(({ name, holder }) => `${name} ${holder?.containerId}`).sort()).toEqual([
      "default/db-0 rv-a",
      "default/web-0 rv-b",
      "vm:db rv-c",
    ]);
    for (const id of ["rv-a", "rv-b", "rv-c"]) await del(id);
    await ctl("release", "vm:db");
    await ctl("release", "default/web-0");
    await expect(ctl("release", "default/db-0")).rejects.toThrow("is declared in the daemon's configuration");
    await expect(ctl("release", "vm:db")).rejects.toThrow('nothing is reserved for "vm:db"');
    expect(await live.left()).toEqual([]);
  });

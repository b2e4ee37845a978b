/**
 * A pod with a declared address on the data-centre network goes from one node to another: two nodes with a daemon each
 * and a third machine, on one switch.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Daemon, startDaemon } from "../../conformance/daemon.ts";
import { ip, makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { eventually, inside, must, run } from "../../conformance/program.ts";
import { invocation, PLUGIN } from "../support/invocation.ts";
import { needing } from "../support/requirement.ts";

const runs = needing("root", { program: "nft" }, { program: "ip" }, { program: "ping" }, { file: PLUGIN });
const SWITCH = "mv-switch";
const CLIENT = "mv-client";
const FIXED = "10.77.0.5";
const POD = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=db-0";
const CONFIG = {
  pools: [{ name: "lan", ranges: [[{ subnet: "10.77.0.0/24", gateway: "10.77.0.1" }]] }],
  reservations: [{ name: "default/db-0", addresses: [FIXED] }],
  defaultPool: "lan",
  networks: [{ name: "lan", attachment: "macvlan", parent: "lan0", ipMasq: false }],
};

interface Machine {
  readonly namespace: string;
  readonly directory: string;
  readonly daemon: Daemon;
  /** Runs the plugin for the pod in a namespace. */
  ask(verb: "ADD" | "DEL" | "CHECK", id: string): Promise<string>;
}

async function plug(namespace: string, link: string): Promise<void> {
  await makeNamespace(namespace);
  const port = `p-${namespace}`;
  await must(["ip", "link", "add", port, "netns", SWITCH, "type", "veth", "peer", "name", link, "netns", namespace]);
  await ip(SWITCH, `link set ${port} master lan up`);
  await ip(namespace, `link set ${link} up`);
}

async function machine(namespace: string): Promise<Machine> {
  await plug(namespace, "lan0");
  const directory = mkdtempSync(join(tmpdir(), "move-"));
  const daemon = await startDaemon({ enter: (argv) => inside(namespace, argv), directory, config: CONFIG });
  return {
    namespace,
    directory,
    daemon,
    async ask(verb, id) {
      const asked = { config: { name: "lan", network: "lan" }, variables: { CNI_ARGS: POD } };
      const called = invocation(daemon, verb, id, asked);
      const { exit, stdout, stderr } = await run(inside(namespace, [PLUGIN]), called);
      if (exit !== 0) throw new Error(`${verb} ${id}: ${stdout}${stderr}`);
      return stdout;
    },
  };
}

let machines: Machine[] = [];
beforeAll(async () => {
  if (runs === test.skip) return;
  await makeNamespace(SWITCH);
  await ip(SWITCH, "link add lan type bridge");
  await ip(SWITCH, "link set lan up");
  await plug(CLIENT, "eth0");
  await ip(CLIENT, "addr add 10.77.0.1/24 dev eth0");
  machines = [await machine("mv-a"), await machine("mv-b")];
  for (const id of ["mv-pod-1", "mv-pod-2"]) await makeNamespace(id);
});

afterAll(async () => {
  for (const { daemon, directory } of machines) {
    await daemon.kill();
    rmSync(directory, { recursive: true });
  }
  for (const name of ["mv-pod-1", "mv-pod-2", "mv-a", "mv-b", CLIENT, SWITCH]) await removeNamespace(name);
});

const ping = () => must(inside(CLIENT, ["ping", "-c", "1", "-W", "9", FIXED]));
/** The MAC that the third machine believes the address to have. */
const believed = async (): Promise<string> => {
  const neighbours = await ip(CLIENT, `neigh show ${FIXED}`);
  return /lladdr (\S+)/.exec(neighbours)?.[1] ?? "";
};
const macOf = (stdout: string): string => {
  const { interfaces } = JSON.parse(stdout) as { interfaces: { mac: string; sandbox?: string }[] };
  return interfaces.find(({ sandbox }) => sandbox)?.mac ?? "";
};

runs("the same address on the other node, reached at once by who knew it on the first", async () => {
  const [a, b] = machines as [Machine, Machine];
  const first = await a.ask("ADD", "mv-pod-1");
  expect(first).toContain(`${FIXED}/24`);
  await ping();
  expect(await believed()).toBe(macOf(first));

  await a.ask("DEL", "mv-pod-1");
  const second = await b.ask("ADD", "mv-pod-2");
  expect(second).toContain(`${FIXED}/24`);
  expect(macOf(second)).not.toBe(macOf(first));
  // Told by the pod's own announcement: nothing has asked since.
  await eventually("its neighbour knows", async () => (await believed()) === macOf(second) || undefined);
  await ping();
  await b.ask("CHECK", "mv-pod-2");
  await b.ask("DEL", "mv-pod-2");
});

/** Two machines with containerd, joined by a cable: pods, host ports, crashes, and nothing left at the end. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { BUILT } from "../../conformance/daemon.ts";
import { ip } from "../../conformance/namespace.ts";
import { makeNode, type Place } from "../../conformance/node.ts";
import { eventually, must, run, start } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { linkPlugins, writeConflist } from "./conflist.ts";
import { type Containerd, startContainerd } from "./containerd.ts";
import { POD_PORT, type Pod } from "./cri.ts";
import { type Machine, makeMachine } from "./machine.ts";
import { NETWORKS, type Network } from "./networks.ts";

const tools = ["containerd", "ctr", "runc", "ping", "busybox"].map((program) => ({ program }));

interface Node extends Containerd {
  readonly place: Place;
  readonly machine: Machine;
  readonly network: Network;
}

describe.each(NETWORKS)("$name", (candidate) => {
  const runner = needing("root", ...tools, ...(candidate.ours ? [{ file: join(BUILT, "selvedge") }] : []));
  const stack = new AsyncDisposableStack();
  let one: Node;
  let two: Node;
  const pods: Record<string, Pod> = {};

  beforeAll(async () => {
    if (runner === test.skip) return;
    const directory = await mkdtemp(join(tmpdir(), "containerd-"));
    stack.defer(() => rm(directory, { recursive: true }));
    const cable = stack.use(await makeNode("cri"));
    const open = async (place: Place, name: string, podNetwork: string): Promise<Node> => {
      const machine = stack.use(await makeMachine(place.namespace));
      const own = join(directory, name);
      const network = await candidate.open(machine, own, stack, podNetwork);
      await linkPlugins(join(own, "bin"), network.path);
      const options = { machine, directory: own, plugins: join(own, "bin"), environment: network.environment };
      const containerd = stack.use(await startContainerd(options));
      return { ...containerd, place, machine, network };
    };
    one = await open(cable.node, "one", "10.91.1.0/24");
    two = await open(cable.outside, "two", "10.91.2.0/24");
    // What the cluster part of Selvedge does between nodes is static here.
    await ip(one.place.namespace, `route add 10.91.2.0/24 via ${two.place.ip4}`);
    await ip(two.place.namespace, `route add 10.91.1.0/24 via ${one.place.ip4}`);
    await must(two.machine.enter(["/bin/sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]));
  }, 60_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  const begin = async (node: Node, name: string, hostPort?: number): Promise<Pod> => {
    const pod = await node.cri.run({ name, cgroup: node.machine.cgroup, ...(hostPort !== undefined && { hostPort }) });
    pods[name] = pod;
    return pod;
  };
  const pod = (name: string): Pod => {
    const known = pods[name];
    if (known === undefined) throw new Error(`${name} does not run`);
    return known;
  };

  runner("a conflist that is written while containerd runs is noticed", async () => {
    expect(await one.cri.networkReady()).toBe(false);
    for (const node of [one, two]) {
      await writeConflist(node.conflists, "pods", node.network.plugins);
      await eventually("the network is ready", async () => (await node.cri.networkReady()) || undefined);
    }
  });

  runner("pods start, and talk on one node and between nodes", async () => {
    await begin(one, "a", 18080);
    await begin(one, "b");
    await begin(two, "c");
    expect(await get(one, pod("a"), pod("b").ip)).toBe("b\n");
    expect(await get(one, pod("b"), pod("a").ip)).toBe("a\n");
    expect(await get(one, pod("a"), pod("c").ip)).toBe("c\n");
    expect(await get(two, pod("c"), pod("a").ip)).toBe("a\n");
  });

  runner("a host port is reached from the other node, from the node's address and from 127.0.0.1", async () => {
    expect(await fetched(two, `${one.place.ip4}:18080`)).toBe("a\n");
    expect(await fetched(one, `${one.place.ip4}:18080`)).toBe("a\n");
    expect(await fetched(one, "127.0.0.1:18080")).toBe("a\n");
    expect(await get(one, pod("b"), `${one.place.ip4}:18080`)).toBe("a\n");
  });

  runner("exec sees the pod's interface", async () => {
    expect(await one.cri.exec(pod("a"), ["ip", "addr", "show", "eth0"])).toContain(`inet ${pod("a").ip}/`);
  });

  runner("a ping at 100 Hz loses nothing while containerd and the daemon are killed and come back", async () => {
    const inPod = one.machine.enter(["nsenter", `--net=${pod("a").netns}`, "--"]);
    const ping = start([...inPod, "ping", "-n", "-q", "-i", "0.01", "-c", "400", "-w", "20", pod("b").ip]);
    let said = "";
    ping.stdout?.on("data", (bytes: Buffer) => {
      said += bytes;
    });
    const ended = new Promise((resolve) => ping.once("close", resolve));
    await one.kill();
    await one.network.daemon?.kill();
    await one.network.daemon?.start();
    await one.start();
    await ended;
    expect(said).toContain("400 packets transmitted, 400 received");
    expect(await get(one, pod("b"), pod("a").ip)).toBe("a\n");
    expect(await fetched(two, `${one.place.ip4}:18080`)).toBe("a\n");
  });

  runner("a pod that starts after the restart joins the others", async () => {
    await eventually("the network is ready", async () => (await one.cri.networkReady()) || undefined);
    await begin(one, "d");
    expect(await get(one, pod("d"), pod("a").ip)).toBe("a\n");
    expect(new Set(["a", "b", "d"].map((name) => pod(name).ip)).size).toBe(3);
  });

  runner("stopping twice and removing is fine, and nothing of the pods is left", async () => {
    for (const [node, name] of [
      [one, "a"],
      [one, "b"],
      [one, "d"],
      [two, "c"],
    ] as const) {
      await node.cri.stop(pod(name));
      await node.cri.stop(pod(name));
      await node.cri.remove(pod(name));
    }
    const refused = await run(one.machine.enter(wget("127.0.0.1:18080")), { deadlineMs: 2_000 });
    expect(refused.stdout).toBe("");
    await eventually("their links are gone", async () => {
      const links = JSON.parse(await must(one.machine.enter(["ip", "-j", "link", "show", "type", "veth"])));
      const names: string[] = links.map(({ ifname }: { ifname?: string }) => ifname).filter(Boolean);
      return names.join() === "uplink" || undefined;
    });
    expect(await readFile("/proc/self/mounts", "utf8")).not.toContain("containerd");
  });
});

const wget = (host: string) => ["busybox", "wget", "-qO-", `http://${host}/`];

/** What a pod gets from another's address, or from `address:port`. */
const get = (node: Node, from: Pod, host: string) =>
  eventually(`${host} answers`, () =>
    node.cri.exec(from, ["wget", "-qO-", `http://${host.includes(":") ? host : `${host}:${POD_PORT}`}/`]),
  );

const fetched = (node: Node, host: string) => must(node.machine.enter(wget(host)), { deadlineMs: 5_000 });

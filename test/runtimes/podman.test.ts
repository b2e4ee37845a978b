/** podman with network_backend = "cni": containers that talk, fixed addresses, published ports, several networks. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { BUILT } from "../../conformance/daemon.ts";
import { makeNode, type Node } from "../../conformance/node.ts";
import { eventually, inside, must } from "../../conformance/program.ts";
import { overlay } from "../../conformance/subject.ts";
import { needing } from "../support/requirement.ts";
import { linkPlugins, writeConflist } from "./conflist.ts";
import { serving, TOOLS } from "./image.ts";
import { type Machine, makeMachine } from "./machine.ts";
import { NETWORKS } from "./networks.ts";
import { type Podman, preparePodman } from "./podman.ts";

const tools = ["podman", "runc", "conmon", "busybox"].map((program) => ({ program }));

describe.each(NETWORKS)("$name", (candidate) => {
  const runner = needing("root", ...tools, ...(candidate.ours ? [{ file: join(BUILT, "selvedge") }] : []));
  const stack = new AsyncDisposableStack();
  let cable: Node;
  let machine: Machine;
  let podman: Podman["podman"];

  beforeAll(async () => {
    if (runner === test.skip) return;
    const directory = await mkdtemp(join(tmpdir(), "podman-"));
    stack.defer(() => rm(directory, { recursive: true }));
    cable = stack.use(await makeNode("pod"));
    machine = stack.use(await makeMachine(cable.node.namespace));
    const network = await candidate.open(machine, directory, stack);
    const plugins = join(directory, "bin");
    await linkPlugins(plugins, network.path);
    const prepared = await preparePodman({ machine, directory, plugins, environment: network.environment });
    podman = prepared.podman;
    await writeConflist(prepared.conflists, "pods", network.plugins);
    const [first = {}, ...rest] = network.plugins;
    const other = { bridge: "cni1", ipam: { ranges: [[{ subnet: "10.92.0.0/24" }]], routes: [] } };
    await writeConflist(prepared.conflists, "other", [overlay(first, other), ...rest]);
  }, 60_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  const begin = (name: string, ...options: readonly string[]) => {
    const [program = "", ...command] = serving(8080);
    const what = ["--entrypoint", program, TOOLS, ...command];
    const own = ["--name", name, "--hostname", name, "--cgroup-parent", machine.cgroup];
    return podman("run", "--detach", ...own, ...options, ...what);
  };
  const address = async (name: string, network = "pods") =>
    (await podman("inspect", "--format", `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, name)).trim();
  const fetched = (from: string, url: string) =>
    eventually(`${url} answers`, () => podman("exec", from, "wget", "-qO-", url));

  runner("two containers talk", async () => {
    await begin("a", "--network", "pods");
    await begin("b", "--network", "pods");
    expect(await fetched("a", `http://${await address("b")}:8080/`)).toBe("b\n");
    expect(await fetched("b", `http://${await address("a")}:8080/`)).toBe("a\n");
  });

  runner("a fixed address and a fixed MAC address", async () => {
    await begin("fixed", "--network", "pods:ip=10.91.0.77,mac=02:11:22:33:44:55");
    const seen = await podman("exec", "fixed", "ip", "addr", "show", "eth0");
    expect(seen).toContain("inet 10.91.0.77/");
    expect(seen).toContain("02:11:22:33:44:55");
    expect(await fetched("a", "http://10.91.0.77:8080/")).toBe("fixed\n");
  });

  runner("a published port is reached from outside", async () => {
    await begin("published", "--network", "pods", "--publish", "18080:8080");
    const url = `http://${cable.node.ip4}:18080/`;
    const get = () => must(inside(cable.outside.namespace, ["busybox", "wget", "-qO-", url]), { deadlineMs: 3_000 });
    expect(await eventually("the port answers", get)).toBe("published\n");
    await podman("rm", "--force", "--time", "0", "published");
    await expect(get()).rejects.toThrow("wget");
  });

  runner("a container on two networks", async () => {
    await begin("both", "--network", "pods", "--network", "other");
    expect(await address("both", "other")).toMatch(/^10\.92\.0\./);
    expect(await fetched("a", `http://${await address("both")}:8080/`)).toBe("both\n");
    expect(await podman("exec", "both", "ip", "addr", "show", "eth1")).toContain("inet ");
  });

  runner("rm leaves no link behind", async () => {
    await podman("rm", "--force", "--time", "0", "--all");
    await eventually("their links are gone", async () => {
      const links: { ifname?: string }[] = JSON.parse(
        await must(machine.enter(["ip", "-j", "link", "show", "type", "veth"])),
      );
      return links.flatMap(({ ifname }) => ifname ?? []).join() === "uplink" || undefined;
    });
  });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "@jest/globals";
import { BUILT } from "../../conformance/daemon.ts";
import { pathOf } from "../../conformance/namespace.ts";
import { makeNode } from "../../conformance/node.ts";
import { eventually, inside, must, run, start, stop } from "../../conformance/program.ts";
import { referenceBin } from "../../conformance/reference.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { needing } from "../support/requirement.ts";
import { makeMachine } from "./machine.ts";
import { NETWORKS } from "./networks.ts";

const cnitool = join(referenceBin(), "cnitool");
const here = [{ file: cnitool }, { program: "nft" }, { program: "ping" }] as const;
const PORTS = JSON.stringify({ portMappings: [{ hostPort: 18080, containerPort: 8080, protocol: "tcp" }] });

describe.each(NETWORKS)("$name", (network) => {
  const builds = network.ours ? [{ file: join(BUILT, "selvedge") }] : [];
  needing(
    "root",
    ...here,
    ...builds,
  )("add, check, del, gc and status", async () => {
    const directory = await mkdtemp(join(tmpdir(), "cnitool-"));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(directory, { recursive: true }));
    const { node, outside } = stack.use(await makeNode("tool"));
    const machine = stack.use(await makeMachine(node.namespace));
    const { plugins, path, environment } = await network.open(machine, directory, stack);
    await must(machine.enter(["ip", "netns", "add", "tool-a"]));
    const conflist = { cniVersion: "1.1.0", name: "tool", plugins };
    await writeFile(join(directory, "tool.conflist"), JSON.stringify(conflist));
    const tool = (verb: string, pod: string) =>
      run(machine.enter([cnitool, verb, "tool", pathOf(pod)]), {
        environment: {
          PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
          ...environment,
          NETCONFPATH: directory,
          CNI_PATH: path.join(":"),
          CAP_ARGS: PORTS,
        },
      });
    const added = await tool("add", "tool-a");
    expect([added.exit, added.stderr]).toEqual([0, ""]);
    const result = JSON.parse(added.stdout) as { cniVersion: string; ips: { address: string }[] } & JsonObject;
    expect(result.cniVersion).toBe("1.1.0");
    const address = result.ips[0]?.address.replace(/\/.*/, "") ?? "";
    await must(machine.enter(["ping", "-c", "1", "-w", "3", address]));
    expect((await tool("check", "tool-a")).exit).toBe(0);
    const server = start(machine.enter(inside("tool-a", ["busybox", "nc", "-ll", "-p", "8080", "-e", "id"])));
    stack.defer(() => stop(server, 0));
    const asking = inside(outside.namespace, ["busybox", "nc", "-w", "3", node.ip4, "18080"]);
    const heard = await eventually("the port answers", async () => (await must(asking)) || undefined);
    expect(heard).toContain("uid=0");
    expect(await tool("status", "tool-a")).toMatchObject({ exit: 0, stdout: "" });
    expect((await tool("del", "tool-a")).exit).toBe(0);
    expect((await tool("del", "tool-a")).exit).toBe(0);
    expect((await tool("gc", "tool-a")).exit).toBe(0);
    const links = await must(machine.enter(["ip", "-n", "tool-a", "-j", "link", "show"]));
    expect(links).not.toContain('"eth0"');
  });
});

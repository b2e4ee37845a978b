import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "@jest/globals";
import { BUILT } from "../../conformance/daemon.ts";
import { makeNamespace, pathOf, removeNamespace } from "../../conformance/namespace.ts";
import { makeNode } from "../../conformance/node.ts";
import { must, run, stop } from "../../conformance/program.ts";
import { referenceBin } from "../../conformance/reference.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { ask, serve } from "../../conformance/traffic.ts";
import { needing } from "../support/requirement.ts";
import { makeMachine } from "./machine.ts";
import { NETWORKS } from "./networks.ts";

const cnitool = join(referenceBin(), "cnitool");
const here = [{ file: cnitool }, { program: "nft" }, { program: "ping" }] as const;
const PORTS = JSON.stringify({ portMappings: [{ hostPort: 18080, containerPort: 8080, protocol: "tcp" }] });

describe.each(NETWORKS)("$name", (network) => {
  const builds = network.ours ? [{ file: join(BUILT, "selvedge") }] : [];
  needing("root", ...here, ...builds)(
    "add, check, del, gc and status",
    async () => {
      const directory = await mkdtemp(join(tmpdir(), "cnitool-"));
      await using stack = new AsyncDisposableStack();
      stack.defer(() => rm(directory, { recursive: true }));
      const { node, outside } = stack.use(await makeNode("tool"));
      const machine = stack.use(await makeMachine(node.namespace));
      const { plugins, path, environment } = await network.open(machine, directory, stack);
      await makeNamespace("tool-a");
      stack.defer(() => removeNamespace("tool-a"));
      const conflist = { cniVersion: "1.1.0", name: "tool", plugins };
      await writeFile(join(directory, "tool.conflist"), JSON.stringify(conflist));
      const tool = (verb: string, pod: string) =>
        run(machine.enter([cnitool, verb, "tool", `/proc/${process.pid}/root${pathOf(pod)}`]), {
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
      await must(["ip", "netns", "exec", node.namespace, "ping", "-c", "1", "-w", "3", address]);
      expect((await tool("check", "tool-a")).exit).toBe(0);
      const answer = await published("tool-a", outside.namespace, node.ip4);
      expect(answer).toContain("tool-a");
      expect(await tool("status", "tool-a")).toMatchObject({ exit: 0, stdout: "" });
      expect((await tool("del", "tool-a")).exit).toBe(0);
      expect((await tool("del", "tool-a")).exit).toBe(0);
      expect((await tool("gc", "tool-a")).exit).toBe(0);
      const links = await must(["ip", "-n", "tool-a", "-j", "link", "show"]);
      expect(links).not.toContain('"eth0"');
    },
    60_000,
  );
});

/** What `pod` says on its port 8080 when it is asked by the node's port 18080 from outside. */
async function published(pod: string, outside: string, node: string): Promise<string> {
  const server = await serve(pod, "tcp", 8080, pod);
  try {
    const question = { from: outside, to: node, port: 18080, protocol: "tcp", bytes: 1, deadlineMs: 3_000 } as const;
    return (await ask(question)).stdout;
  } finally {
    await stop(server, 0);
  }
}

/** The daemon as a process, an API server and a router that stand in for real ones: the router's key is in a Secret. */
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { linesOf } from "#lib/edge/tree.ts";
import { startDaemon } from "../../conformance/daemon.ts";
import { eventually } from "../../conformance/program.ts";
import { pki } from "../store/pki.ts";
import { authority } from "../support/kubernetes/authority.ts";
import { writeKubeconfig } from "../support/kubernetes/kubeconfig.ts";
import { LIVE } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { grammarFile } from "../support/vyos/grammar.ts";
import { standin } from "../support/vyos/standin.ts";

const kubernetes = authority();
const runs = needing(...LIVE, { file: grammarFile("1.4") });
const secretOf = (key: string) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { namespace: "kube-system", name: "edge1" },
  data: { api: Buffer.from(`${key}\n`).toString("base64") },
});
const has = async (lines: readonly string[]): Promise<true | undefined> =>
  lines.some((line) => line.startsWith("firewall group network-group PODS ")) || undefined;

(kubernetes.runs === test.skip ? test.skip : runs)(
  "a router whose key is in a Secret is written to, and again when the key is another; nothing tells it",
  async () => {
    using certificates = pki();
    const edge = certificates.authority("edge-ca");
    await using server = await kubernetes.server();
    await using router = await standin("1.4", edge.issue("edge1", ["IP:127.0.0.1"]));
    router.key = "first-of-two-keys";
    server.objects.put(secretOf(router.key));
    const directory = mkdtempSync(join(tmpdir(), "edge-secret-"));
    const kubeconfig = writeKubeconfig(directory, server, kubernetes.ca);
    const config = {
      networks: [{ name: "net", expose: true }],
      kubernetes: { kubeconfig },
      edge: {
        driftSeconds: 5,
        routers: [
          {
            name: "edge1",
            url: router.url,
            key: { secret: { name: "edge1", key: "api" } },
            trust: { ca: edge.ca },
            groups: [{ name: "PODS", of: "pools" }],
          },
        ],
      },
    };
    const daemon = await startDaemon({ enter: (argv) => [...argv], directory, config });
    try {
      await eventually("the router has it", () => has(linesOf(router.running)), 60_000);
      const first = router.key;
      router.key = "second-of-two-keys";
      server.objects.put(secretOf(router.key));
      router.operate([{ op: "delete", path: ["firewall", "group", "network-group", "PODS"] }]);
      await eventually("the router has it again", () => has(linesOf(router.running)), 60_000);
      const files = globSync("{log,state/*}", { cwd: directory });
      expect(files.length).toBeGreaterThan(1);
      for (const file of files)
        for (const key of [first, router.key]) expect(readFileSync(join(directory, file), "latin1")).not.toContain(key);
    } finally {
      await daemon.kill();
      rmSync(directory, { recursive: true });
    }
  },
  300_000,
);

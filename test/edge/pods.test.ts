/** The daemon as a process, manifests of pods in a directory, and a router that stands in for a real one: what follows pods. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { linesOf } from "#lib/edge/tree.ts";
import type { Router } from "#proto/selvedge_pb.ts";
import { type Daemon, startDaemon } from "../../conformance/daemon.ts";
import { eventually, must } from "../../conformance/program.ts";
import { pki } from "../store/pki.ts";
import { LIVE } from "../support/live-node.ts";
import { writeManifests } from "../support/manifests.ts";
import { needing } from "../support/requirement.ts";
import { grammarFile } from "../support/vyos/grammar.ts";
import { type Standin, standin } from "../support/vyos/standin.ts";

const top = join(import.meta.dirname, "..", "..");

const pod = (name: string, labels: Readonly<Record<string, string>>, ...ips: readonly string[]) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "shop", name, labels },
  status: { phase: "Running", podIPs: ips.map((ip) => ({ ip })) },
});
const commits = (router: Standin): number => router.requests.filter((path) => path === "/configure").length;
/** What of the router is about pods. */
const told = (router: Standin): string[] => linesOf(router.running).filter((line) => /WEB/.test(line));

needing(...LIVE, { file: grammarFile("1.4") }, { program: "openssl" })(
  "groups and services of a router follow pods by their labels, a burst of them at once",
  async () => {
    using certificates = pki();
    const authority = certificates.authority("edge-ca");
    await using router = await standin("1.4", authority.issue("edge1", ["IP:127.0.0.1"]));
    const directory = mkdtempSync(join(tmpdir(), "edge-pods-"));
    const manifests = join(directory, "manifests");
    mkdirSync(manifests);
    const tell = (pods: readonly object[]) => writeManifests(manifests, "pods", pods);
    const web = (n: number) => pod(`web-${n}`, { app: "web" }, `10.66.${n >> 8}.${n & 255}`);
    tell([
      web(5),
      pod("db", { app: "db" }, "10.66.0.6"),
      pod("both", { app: "web" }, "10.66.0.9", "fd42:5e1f:ed9e::9"),
    ]);
    writeFileSync(join(directory, "key"), `${router.key}\n`);
    const chosen = { namespace: "shop", labels: { app: "web" }, most: 400 };
    const config = {
      networks: [{ name: "net", expose: true }],
      policies: { directory: manifests },
      edge: {
        windowMs: 500,
        driftSeconds: 60,
        routers: [
          {
            name: "edge1",
            url: router.url,
            key: { file: join(directory, "key") },
            trust: { ca: authority.ca },
            groups: [{ name: "WEB", of: "pods", pods: chosen }],
            loadBalancers: [{ name: "web", port: 80, pods: { ...chosen, port: 8_080 } }],
            virtualServers: [{ name: "web", address: "198.51.100.7", port: 80, pods: { ...chosen, port: 8_080 } }],
            firewall: { rules: [{ name: "web", action: "accept", to: "WEB", protocol: "tcp", ports: [443] }] },
          },
        ],
      },
    };
    const daemon: Daemon = await startDaemon({ enter: (argv) => [...argv], directory, config });
    const status = async (): Promise<Router | undefined> =>
      (
        JSON.parse(
          await must([process.execPath, join(top, "cmd/ctl.ts"), "edge", "status", "--json"], {
            environment: { ...daemon.environment, PATH: process.env.PATH ?? "" },
          }),
        ) as { routers: Router[] }
      ).routers[0];
    const has = (...members: readonly string[]) => {
      const lines = told(router).filter((line) => line.includes(" address "));
      return JSON.stringify(lines) === JSON.stringify(members.map((each) => `firewall group ${each}`)) || undefined;
    };
    try {
      const [four, six] = ["address-group WEB address", "ipv6-address-group WEB-6 address"];
      const first = [`${four} 10.66.0.5`, `${four} 10.66.0.9`, `${six} fd42:5e1f:ed9e::9`];
      await eventually("the group has the pods", async () => has(...first), 60_000);
      expect(linesOf(router.running)).toContain(
        "firewall ipv4 name SELVEDGE rule 10 destination group address-group WEB",
      );
      expect(
        linesOf(router.running).filter((line) => /pod-|real-server/.test(line) && !line.endsWith("check")),
      ).toEqual([
        ...["10.66.0.5", "10.66.0.9", "fd42:5e1f:ed9e::9"].flatMap((address) => {
          const server = `load-balancing reverse-proxy backend selvedge-web server pod-${address.replaceAll(/[.:]/g, "-")}`;
          return [`${server} address ${address}`, `${server} port 8080`];
        }),
        ...["10.66.0.5", "10.66.0.9"].map(
          (address) => `high-availability virtual-server selvedge-web real-server ${address} port 8080`,
        ),
      ]);
      expect(commits(router)).toBe(1);

      // The group has it all the same: its packets are its own.
      tell([
        web(5),
        { ...web(9), status: { ...web(9).status, conditions: [{ type: "Ready", status: "False" }] } },
        pod("db", { app: "db" }, "10.66.0.6"),
      ]);
      await eventually("a pod that is not ready serves no more", async () => {
        const serving = linesOf(router.running).filter((line) => /server pod-.* address|real-server/.test(line));
        return (serving.length === 2 && serving.every((line) => line.includes("10.66.0.5"))) || undefined;
      });
      await eventually("the group has it", async () => has(`${four} 10.66.0.5`, `${four} 10.66.0.9`));
      const before = commits(router);

      tell([...Array.from({ length: 300 }, (_, i) => web(256 + i)), web(9)]);
      await eventually("300 more", async () => has(`${four} 10.66.0.9`, `${four} 10.66.1.0-10.66.2.43`), 60_000);
      expect(commits(router)).toBe(before + 1);

      tell(Array.from({ length: 401 }, (_, i) => web(2 * i)));
      await eventually(
        "too many are told of",
        async () => ((await status())?.phase === "conflict" ? true : undefined),
        60_000,
      );
      expect((await status())?.message.split("; ")).toContain(
        "firewall group address-group WEB would have 401 entries, and may have 400: it stays as it is",
      );
      expect(has(`${four} 10.66.0.9`, `${four} 10.66.1.0-10.66.2.43`)).toBe(true);

      tell([pod("db", { app: "db" }, "10.66.0.6")]);
      await eventually("no pod is left", async () => has(), 60_000);
      await eventually("all is well", async () => ((await status())?.phase === "in-sync" ? true : undefined), 60_000);
      expect(told(router)).toContain("firewall group address-group WEB");
      expect(linesOf(router.running).filter((line) => /selvedge-web/.test(line))).toEqual([]);
      expect(commits(router)).toBe(before + 2);
    } finally {
      await daemon.kill();
      rmSync(directory, { recursive: true });
    }
  },
  300_000,
);

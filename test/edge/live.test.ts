/** The daemon as a process, and routers that stand in for real ones of both versions. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@jest/globals";
import type { Version } from "#lib/edge/dialect.ts";
import { type Line, pathOf } from "#lib/edge/path.ts";
import { linesOf } from "#lib/edge/tree.ts";
import type { Command } from "#lib/vyos/vyos.ts";
import type { PushList, Router } from "#proto/selvedge_pb.ts";
import { type Daemon, startDaemon } from "../../conformance/daemon.ts";
import { eventually, must, run } from "../../conformance/program.ts";
import { pki } from "../store/pki.ts";
import { LIVE } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { grammarFile } from "../support/vyos/grammar.ts";
import { type Standin, standin } from "../support/vyos/standin.ts";

const top = join(import.meta.dirname, "..", "..");
const OPERATORS = "protocols static route 10.0.0.0/8 blackhole";

const command = (op: Command["op"], line: string): Command => ({ op, path: pathOf(line as Line) });
const has = (router: Standin, ...lines: readonly string[]) => {
  const now = linesOf(router.running);
  return lines.every((line) => now.includes(line)) ? true : undefined;
};
const commits = (router: Standin): number => router.requests.filter((path) => path === "/configure").length;

/** A link with a default route, so that the node has an address that routers reach it by. */
async function place(): Promise<void> {
  await run(["ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1"]);
  await must(["ip", "addr", "replace", "192.0.2.11/24", "dev", "up0"]);
  for (const link of ["up0", "up1"]) await must(["ip", "link", "set", link, "up"]);
  await must(["ip", "route", "replace", "default", "via", "192.0.2.254"]);
}

needing(...LIVE, { file: grammarFile("1.4") }, { program: "openssl" }).each<Version>(["1.4", "rolling"])(
  "a router of VyOS %s follows its node",
  async (version) => {
    await place();
    using certificates = pki();
    const authority = certificates.authority("edge-ca");
    await using router = await standin(version, authority.issue("edge1", ["IP:127.0.0.1"]));
    router.operate([command("set", OPERATORS)]);
    const directory = mkdtempSync(join(tmpdir(), "edge-"));
    writeFileSync(join(directory, "key"), `${router.key}\n`);
    const config = {
      networks: [{ name: "net", expose: true }],
      edge: {
        windowMs: 50,
        driftSeconds: 5,
        routers: [
          {
            name: "edge1",
            url: router.url,
            key: { file: join(directory, "key") },
            trust: { ca: authority.ca },
            static: { distance: 20 },
            nat: { masquerade: [{ interface: "eth0" }] },
            groups: [{ name: "PODS", of: "pools" }],
          },
        ],
      },
    };
    const daemon: Daemon = await startDaemon({ enter: (argv) => [...argv], directory, config });
    const ctl = async <T>(...words: string[]): Promise<T> =>
      JSON.parse(
        await must([process.execPath, join(top, "cmd/ctl.ts"), "edge", ...words, "--json"], {
          environment: { ...daemon.environment, PATH: process.env.PATH ?? "" },
        }),
      ) as T;
    try {
      const ours = [
        "protocols static route 10.66.0.0/16 next-hop 192.0.2.11 distance 20",
        "nat source rule 7000 translation address masquerade",
        "firewall group network-group PODS network 10.66.0.0/16",
        "firewall group ipv6-network-group PODS-6 network fd42:5e1f:ed9e::/64",
      ];
      await eventually("the router has it", async () => has(router, ...ours, OPERATORS));
      await eventually("it is saved", async () => linesOf(router.saved).includes(ours[0] ?? "") || undefined);
      expect(commits(router)).toBe(1);
      const { routers } = await ctl<{ routers: Router[] }>("status");
      expect(routers).toMatchObject([{ name: "edge1", phase: "in-sync", revision: 1, unsaved: false }]);

      router.operate([command("delete", "protocols static route 10.66.0.0/16")]);
      await eventually("what somebody took is back", async () => has(router, ...ours, OPERATORS));
      await eventually("that is known", async () => {
        const [state] = (await ctl<{ routers: Router[] }>("status")).routers;
        return state?.phase === "in-sync" && state.revision === 2 ? true : undefined;
      });

      await daemon.kill();
      await daemon.start();
      const looks = router.requests.length;
      await eventually("it has looked again", async () => router.requests.length > looks + 3 || undefined);
      expect(commits(router)).toBe(2);

      await ctl("rollback", "--all");
      expect(linesOf(router.running)).toContain(OPERATORS);
      expect(linesOf(router.running).filter((line) => /10\.66|PODS|7000/.test(line))).toEqual([]);
      const { pushes } = await ctl<PushList>("history", "edge1");
      expect(pushes.map(({ revision, result, why }) => [revision, result, why])).toEqual([
        [1, "done", "the cluster has changed"],
        [2, "done", "somebody else has changed what is ours"],
        [3, "done", "all was taken back"],
      ]);
      await ctl("resume", "edge1");
      await eventually("it goes on", async () => has(router, ...ours));
      expect(daemon.log()).not.toContain(router.key);
    } finally {
      await daemon.kill();
      rmSync(directory, { recursive: true });
    }
  },
  180_000,
);

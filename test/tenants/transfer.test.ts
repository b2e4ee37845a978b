/** A tenant's router keeps the addresses of its uplink when another tenant comes whose name asks for the same. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import { transferFor } from "#lib/datapath/transfer.ts";
import { removeNamespace } from "../../conformance/namespace.ts";
import { eventually } from "../../conformance/program.ts";
import { LIVE, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const test = needing(...LIVE);

/** Room for two. */
const RANGE = "169.254.16.0/30";
const nodeEnd = (tenant: string) => transferFor(tenant, { ranges: [prefix(RANGE)], taken: [] })[0]?.node;
const FIRST = "a";
const RIVAL = ["b", "c", "d", "e", "f"].find((name) => nodeEnd(name) === nodeEnd(FIRST)) ?? "";

const config = (...tenants: readonly string[]) => ({
  routers: { dir: "/run/netns", transferRanges: [RANGE], probeRanges: ["169.254.128.0/17"] },
  pools: [
    { name: "default", ranges: [[{ subnet: "10.66.0.0/16" }]] },
    ...tenants.map((name) => ({ name, ranges: [[{ subnet: "10.0.0.0/24" }]] })),
  ],
  tenants: tenants.map((name) => ({ name })),
  networks: tenants.map((name) => ({ name, tenant: name, pool: name, reportProbeAddress: true })),
});

test("a router's uplink stays as it is over another daemon's start, with one more tenant", async () => {
  expect(RIVAL).not.toBe("");
  try {
    await using live = await makeLiveNode({ name: "transfer", config: config(RIVAL) });
    await live.pods("one", "two");
    const on = (network: string) => ({ config: { network } });
    const probeOf = async (pod: string, network: string): Promise<string> => {
      const { exit, stdout } = await live.ask("ADD", pod, on(network));
      expect([exit, stdout]).toEqual([0, expect.any(String)]);
      const { ips } = JSON.parse(stdout) as { ips: readonly { address: string }[] };
      return ips[0]?.address.replace(/\/\d+$/, "") ?? "";
    };
    const uplinks = async () =>
      (await live.on("ip", "-4", "-brief", "address"))
        .split("\n")
        .flatMap((line) => /^(st[0-9a-f]{11})@\S+ +\S+ +(\S+)/.exec(line)?.slice(1, 3).join(" ") ?? []);
    const isReached = (probe: string) =>
      eventually(
        `${probe} answers`,
        async () => (await live.on("ping", "-c1", "-W5", probe).catch(() => "")).includes("1 received") || undefined,
      );

    const probe = await probeOf("one", RIVAL);
    const [before = ""] = await uplinks();
    expect(before).toContain(`${nodeEnd(RIVAL)}/31`);
    await live.daemon.stop();
    const file = join(live.directory, "config.yaml");
    const settings = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...settings, ...config(FIRST, RIVAL) }));
    await live.daemon.start();

    const other = await probeOf("two", FIRST);
    const after = await uplinks();
    expect(after).toHaveLength(2);
    expect(after).toContain(before);
    expect(new Set(after.map((line) => line.split(" ")[1])).size).toBe(2);
    await isReached(probe);
    await isReached(other);
    expect((await live.ask("CHECK", "one", on(RIVAL))).exit).toBe(0);
  } finally {
    for (const tenant of [FIRST, RIVAL]) await removeNamespace(`selvedge-${tenant}`);
  }
});

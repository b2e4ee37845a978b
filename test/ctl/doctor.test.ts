import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect } from "@jest/globals";
import type { Diagnosis } from "#proto/selvedge_pb.ts";
import { LIVE, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const top = join(import.meta.dirname, "..", "..");

const doctor = (environment: Readonly<Record<string, string>>) =>
  new Promise<{ code: unknown; diagnosis: Diagnosis }>((resolve) => {
    const words = [join(top, "cmd/ctl.ts"), "doctor", "--json"];
    execFile(process.execPath, words, { env: { ...environment }, timeout: 50_000 }, (error, stdout) =>
      resolve({ code: error?.code ?? 0, diagnosis: JSON.parse(stdout) as Diagnosis }),
    );
  });

needing(...LIVE)("doctor finds what was done to a node", async () => {
  await using live = await makeLiveNode({ name: "doctor", config: { reconcile: { everySeconds: 3600 } } });
  const level = ({ findings }: Diagnosis, check: string) => findings.find((finding) => finding.check === check)?.level;

  const before = (await doctor(live.daemon.environment)).diagnosis;
  expect(level(before, "daemon")).toBe("ok");
  expect(level(before, "other firewalls")).toBe("ok");
  expect(level(before, "socket")).toBe("ok");
  const { types, features } = before;
  expect(types.find(({ name }) => name === "ptp")).toEqual({ name: "ptp", needs: ["veth"], missing: [] });
  expect(features.find(({ name }) => name === "veth")).toMatchObject({ option: "CONFIG_VETH", present: true });

  await live.on("nft", "add table ip filter");
  await live.on("nft", "add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }");
  await live.on("chmod", "666", join(live.directory, "selvedged.sock"));
  const { code, diagnosis } = await doctor(live.daemon.environment);
  expect(level(diagnosis, "other firewalls")).toBe("warning");
  expect(level(diagnosis, "socket")).toBe("problem");
  expect(code).toBe(5);
});

/** The real FRR: started, told, looked after, and ended. */
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { type SpeakerSpec, speakerText } from "#lib/edge/speaker.ts";
import { isFailure } from "#lib/errors.ts";
import { frr } from "#lib/frr/frr.ts";
import { must } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";

const DIRECTORY = "/run/frr-test";
const PROGRAMS = "/usr/lib/frr";
const SPEC: SpeakerSpec = {
  as: 65_001,
  neighbours: [
    {
      router: "edge1",
      address: address("192.0.2.1"),
      as: 65_000,
      families: [4, 6],
      password: "s3cret",
      bfd: true,
      serves: [prefix("10.66.0.0/16"), prefix("fd66::/64")],
      givesDefault: true,
    },
  ],
  holdSeconds: 9,
  multipath: 8,
};
const text = (...networks: string[]): string =>
  speakerText(SPEC, { id: address("192.0.2.11"), networks: networks.map((each) => prefix(each)) });

let nowMs = 0;
const speaker = frr({ programs: PROGRAMS, directory: DIRECTORY, port: 0, lookMs: 60_000, nowMs: () => nowMs });
const vtysh = (...commands: string[]): Promise<string> =>
  must(["vtysh", "--vty_socket", DIRECTORY, ...commands.flatMap((command) => ["-c", command])]);
const pidOf = (program: string): number => Number(readFileSync(join(DIRECTORY, `${program}.pid`), "utf8"));
/** One that nobody has waited for yet has no command line any more. */
const isRunning = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "";

afterEach(() => speaker.cease());

const runs = needing("root", { file: `${PROGRAMS}/bgpd` }, { file: `${PROGRAMS}/frr-reload.py` }, { program: "vtysh" });

runs("it is told what is new, and nothing a second time", async () => {
  expect(await speaker.sessions()).toEqual([]);
  expect(await speaker.follow(text("10.66.0.0/26"))).toBe(true);
  expect(await speaker.follow(text("10.66.0.0/26"))).toBe(false);
  expect(await speaker.sessions()).toMatchObject([{ address: "192.0.2.1", upMs: 0, received: 0, sent: 0 }]);

  expect(await speaker.follow(text("10.66.0.64/26", "fd66::/122"))).toBe(true);
  const networks = (await vtysh("show running-config")).match(/network \S+\/\d+/g);
  expect(networks).toEqual(["network 10.66.0.64/26", "network fd66::/122"]);
  // Passwords are for root alone.
  expect((await must(["stat", "-c", "%a %U", join(DIRECTORY, "frr.conf")])).trim()).toBe("600 root");

  // Another daemon finds all of it as it should be.
  const bgpd = pidOf("bgpd");
  const next = frr({ programs: PROGRAMS, directory: DIRECTORY, port: 0, lookMs: 60_000, nowMs: () => nowMs });
  expect(await next.follow(text("10.66.0.64/26", "fd66::/122"))).toBe(false);
  expect(pidOf("bgpd")).toBe(bgpd);
});

runs("what somebody typed goes, and what has died starts again", async () => {
  await speaker.follow(text("10.66.0.0/26"));
  await vtysh("configure terminal", "router bgp 65001", "address-family ipv4 unicast", "network 10.9.0.0/16");
  expect(await speaker.follow(text("10.66.0.0/26"))).toBe(false);
  nowMs += 60_000;
  expect(await speaker.follow(text("10.66.0.0/26"))).toBe(true);
  expect(await vtysh("show running-config")).not.toContain("10.9.0.0/16");

  const before = { bgpd: pidOf("bgpd"), zebra: pidOf("zebra") };
  process.kill(before.bgpd, "SIGKILL");
  while (isRunning(before.bgpd)) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await speaker.follow(text("10.66.0.0/26"))).toBe(true);
  expect(pidOf("bgpd")).not.toBe(before.bgpd);
  expect(pidOf("zebra")).toBe(before.zebra);
  expect(await vtysh("show running-config")).toContain("network 10.66.0.0/26");
});

runs("it ends when it has nothing to say", async () => {
  await speaker.follow(text("10.66.0.0/26"));
  const pids = ["zebra", "bfdd", "bgpd"].map(pidOf);
  expect(pids.map(isRunning)).toEqual([true, true, true]);
  await speaker.cease();
  expect(pids.map(isRunning)).toEqual([false, false, false]);
  expect(existsSync(join(DIRECTORY, "frr.conf"))).toBe(false);
  expect(await speaker.sessions()).toEqual([]);
  await speaker.cease();
});

const failure = async (work: Promise<unknown>): Promise<[message: string, hint: string | undefined]> => {
  try {
    await work;
  } catch (error) {
    if (isFailure(error, "speaker")) return [error.message, error.hint];
    throw error;
  }
  throw new Error("it was taken");
};

runs("passwords are in no file that others read", async () => {
  const password = `an0ther-${randomUUID()}`;
  await speaker.follow(text("10.66.0.0/26"));
  await speaker.follow(text("10.66.0.0/26").replaceAll("s3cret", password));
  expect(await vtysh("show running-config")).toContain(`password ${password}`);
  await speaker.follow(text("10.66.0.0/26"));
  // Where frr-reload.py writes unless it is told otherwise; another's FRR may write there at the same time.
  const log = "/var/log/frr/frr-reload.log";
  expect(existsSync(log) ? readFileSync(log, "utf8") : "").not.toContain(password);
  // What is to be added lies there while it is.
  expect((await must(["stat", "-c", "%a %U", join(DIRECTORY, "changes")])).trim()).toBe("700 root");
});

runs("what it does not take is told in its words, without passwords", async () => {
  const [said] = await failure(speaker.follow("router bgp 65001\n neighbor 192.0.2.1 password two words\nexit\n"));
  expect(said).toMatch(/password \(secret\)/);
  expect(said).not.toContain("two");
  expect(said).toMatch(/^FRR: python3: ERROR: vtysh failed to process new configuration/);
  const [message] = await failure(speaker.follow("router bgp 65001\n neighbour 192.0.2.1\nexit\n"));
  expect(message).toMatch(/^FRR: python3: [\s\S]*neighbour 192\.0\.2\.1/);
});

test("without FRR the packages are named", async () => {
  const directory = mkdtempSync(join(tmpdir(), "frr-"));
  try {
    const none = frr({ programs: join(directory, "none"), directory, port: 0, lookMs: 60_000, nowMs: () => nowMs });
    const [message, hint] = await failure(none.follow(text()));
    expect(message).toMatch(/^FRR: there is no /);
    expect(hint).toBe("Install the packages frr and frr-pythontools.");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

runs("a number that is another program's by now is nobody of ours", async () => {
  await speaker.follow(text());
  const bgpd = pidOf("bgpd");
  writeFileSync(join(DIRECTORY, "bgpd.pid"), `${process.pid}\n`);
  expect(await speaker.sessions()).toEqual([]);
  writeFileSync(join(DIRECTORY, "bgpd.pid"), `${bgpd}\n`);
});

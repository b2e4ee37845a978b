/** What install/ has for nodes with systemd or NetworkManager: the daemon's unit, and who leaves our links alone. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, matchesGlob } from "node:path";
import { expect, test } from "@jest/globals";
import * as attachment from "#lib/attach/names.ts";
import { egressLink } from "#lib/datapath/egress/names.ts";
import { peerLinkName } from "#lib/datapath/peering.ts";
import { stretchLink } from "#lib/datapath/stretch.ts";
import { uplinkName } from "#lib/datapath/uplink.ts";
import { greLink, NODE_LINK, vxlanLink, WIREGUARD_LINK } from "#lib/datapath/ways/names.ts";
import { BUILT } from "../../conformance/daemon.ts";
import { everything, LIVE, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const install = join(import.meta.dirname, "../..", "install");
const UNIT = readFileSync(join(install, "systemd/selvedged.service"), "utf8");
const key = { containerId: "c", ifname: "eth0" };

const OURS = [
  attachment.hostLinkName(key),
  attachment.ifbName(key),
  ...Object.values(attachment.totalNames(key)),
  attachment.shimName("macvlan", "eth1"),
  attachment.mirrorTunnelName("192.0.2.1"),
  attachment.outerVlanName("eth1", 100),
  attachment.gatewayPortName("br0", 100),
  uplinkName("blue"),
  peerLinkName("red"),
  stretchLink("campus", 4),
  egressLink("billing", 6),
  greLink("node-b", 4),
  vxlanLink(4),
  vxlanLink(6),
  WIREGUARD_LINK,
  NODE_LINK,
];
const THEIRS = [
  "lo",
  "eth0",
  "ens3",
  "enp1s0f0np0",
  "sit0",
  "wlan0",
  "wg0",
  "docker0",
  "cni0",
  "br-6a8f0d2e1c3b",
  "vxlan.calico",
];

const LISTS: readonly [file: string, setting: RegExp, separator: RegExp][] = [
  ["systemd/network/10-selvedge.network", /^Name=(.*)$/m, / /],
  ["systemd/network/10-selvedge.link", /^OriginalName=(.*)$/m, / /],
  ["NetworkManager/conf.d/10-selvedge.conf", /^match-device=(.*)$/m, /;/],
];

test.each(LISTS)("%s names every link of ours, and nobody else's", (file, setting, separator) => {
  const list = setting.exec(readFileSync(join(install, file), "utf8"))?.[1] ?? "";
  const patterns = list.split(separator).map((each) => each.replace(/^interface-name:/, ""));
  const named = (link: string) => patterns.some((pattern) => matchesGlob(link, pattern));
  expect(OURS.filter((link) => !named(link))).toEqual([]);
  expect(THEIRS.filter(named)).toEqual([]);
});

needing({ program: "systemd-analyze" }, { file: join(BUILT, "selvedged") })("systemd takes the unit as it is", () => {
  const directory = mkdtempSync(join(tmpdir(), "unit-"));
  try {
    const unit = join(directory, "selvedged.service");
    writeFileSync(unit, UNIT.replace("/usr/local/sbin/selvedged", join(BUILT, "selvedged")));
    execFileSync("systemd-analyze", ["verify", "--man=no", unit], { stdio: "pipe" });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("systemd tries it for as long as it takes", () => {
  expect(UNIT).toMatch(/^\[Unit\]\n(?:(?!\[).*\n)*StartLimitIntervalSec=0\n/m);
  expect(UNIT).toMatch(/^Restart=always$/m);
});

const RANGES = [[{ subnet: "10.0.0.0/24" }]];
const CONFIG = {
  pools: [
    { name: "default", ranges: [[{ subnet: "10.66.0.0/16" }], [{ subnet: "fd00:66::/64" }]] },
    { name: "blue", ranges: RANGES },
    { name: "l2", ranges: [[{ subnet: "10.67.0.0/24" }]] },
  ],
  tenants: [{ name: "blue" }],
  networks: [
    { name: "blue", tenant: "blue", pool: "blue" },
    { name: "l2", pool: "l2", attachment: "bridge", options: { bridge: "br0", isGateway: true } },
    { name: "wire", pool: "l2", attachment: "macvlan", options: { master: "parent0", duplicateCheck: { window: 0 } } },
  ],
};

/** Starts a program with the capabilities of the unit and no others. */
const around = (argv: readonly string[]): string[] => {
  const granted = [...UNIT.matchAll(/^CapabilityBoundingSet=(.*)$/gm)].flatMap(([, names = ""]) => names.split(" "));
  if (granted.length === 0) throw new Error("the unit names no capabilities");
  const set = ["-all", ...granted.map((name) => name.replace("CAP_", "+").toLowerCase())].join(",");
  return ["setpriv", "--no-new-privs", "--bounding-set", set, ...argv];
};

needing(...LIVE, { program: "setpriv" })("the capabilities of the unit are enough", async () => {
  await using live = await makeLiveNode({ name: "su", config: CONFIG, around });
  await live.on("ip", "link", "add", "parent0", "type", "veth", "peer", "name", "parent1");
  await live.on("ip", "link", "set", "parent0", "up");
  const networks = {
    "su-1": everything(8080),
    "su-2": { network: "blue" },
    "su-3": { network: "l2" },
    "su-4": { network: "wire" },
  };
  for (const [id, config] of Object.entries(networks)) {
    await live.pods(id);
    expect(await live.ask("ADD", id, { config })).toMatchObject({ exit: 0 });
    expect(await live.ask("CHECK", id, { config })).toMatchObject({ exit: 0 });
  }
  for (const [id, config] of Object.entries(networks))
    expect(await live.ask("DEL", id, { config })).toMatchObject({ exit: 0 });
});

/** As the daemon does; the process ids of what runs then. */
const FRR = `
import { frrPrograms } from "${new URL("../../lib/frr/programs.ts", import.meta.url)}";
const [directory] = process.argv.slice(1);
const wanted = ["zebra", "bfdd", "bgpd"];
const frr = frrPrograms({ programs: "/usr/lib/frr", directory, more: { bgpd: ["-p", "179"] } });
await frr.start(wanted);
const pids = await Promise.all(wanted.map(frr.pidOf));
await frr.end();
console.log(JSON.stringify([...pids, ...(await Promise.all(wanted.map(frr.pidOf)))]));
`;

needing(
  "root",
  { program: "setpriv" },
  { file: "/usr/lib/frr/bgpd" },
)("and enough for FRR, which the daemon starts and ends", () => {
  const directory = mkdtempSync(join(tmpdir(), "frr-"));
  try {
    const [file = "", ...argv] = around([process.execPath, "--input-type=module", "-e", FRR, directory]);
    const told = execFileSync(file, argv, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    expect(JSON.parse(told)).toEqual([expect.any(Number), expect.any(Number), expect.any(Number), null, null, null]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

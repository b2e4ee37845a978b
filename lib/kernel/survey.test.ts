import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { survey } from "./survey.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "survey-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

test("an empty machine has nothing to tell", async () => {
  expect(await survey(join(root, "s"), root)).toMatchObject({
    switches: {},
    legacyTables: [],
    managed: [],
    pluginInstalled: false,
    networks: [],
    socket: undefined,
  });
});

test("switches, tables and the socket as they are", async () => {
  write({
    "proc/sys/net/ipv4/ip_forward": "1\n",
    "proc/sys/net/ipv4/tcp_syncookies": "1\n",
    "proc/net/ip_tables_names": "nat\nfilter\n",
    "proc/net/ip6_tables_names": "filter\n",
    s: "",
  });
  chmodSync(join(root, "s"), 0o660);
  expect(await survey(join(root, "s"), root)).toMatchObject({
    switches: { "net/ipv4/ip_forward": "1" },
    legacyTables: ["filter", "nat"],
    socket: { mode: 0o660, uid: process.getuid?.() },
  });
});

test("of links that others manage, ours are told", async () => {
  write({
    "sys/class/net/sv1/ifalias": "selvedge c1 eth0\n",
    "sys/class/net/sv1/ifindex": "7\n",
    "sys/class/net/sv2/ifalias": "selvedge c2 eth0\n",
    "sys/class/net/sv2/ifindex": "8\n",
    "sys/class/net/eth0/ifindex": "2\n",
    "run/systemd/netif/links/2": "ADMIN_STATE=configured\n",
    "run/systemd/netif/links/7": "# private\nADMIN_STATE=unmanaged\nOPER_STATE=routable\n",
    "run/systemd/netif/links/8": "# private\nADMIN_STATE=configuring\n",
    "run/NetworkManager/devices/7": "[device]\nmanaged=true\n",
    "run/NetworkManager/devices/8": "[device]\nmanaged=false\n",
  });
  const { managed } = await survey("/nowhere", root);
  expect(managed).toEqual([
    { link: "sv2", by: "systemd-networkd" },
    { link: "sv1", by: "NetworkManager" },
  ]);
});

test("the plugin must be a program, and networks come in the runtime's order", async () => {
  write({
    "opt/cni/bin/selvedge": "",
    "etc/cni/net.d/10-mine.conflist": `{ "plugins": [{ "type": "selvedge" }] }`,
    "etc/cni/net.d/05-other.conf": `{ "type": "bridge" }`,
    "etc/cni/net.d/00-readme.txt": "",
  });
  expect(await survey("/nowhere", root)).toMatchObject({
    pluginInstalled: false,
    networks: [
      { file: "05-other.conf", ours: false },
      { file: "10-mine.conflist", ours: true },
    ],
  });
  chmodSync(join(root, "opt/cni/bin/selvedge"), 0o755);
  expect((await survey("/nowhere", root)).pluginInstalled).toBe(true);
});

/** A stand-in's WireGuard interfaces, as devices of wireguard-go in the namespace that it runs in (vyos-1x python/vyos/ifconfig/wireguard.py). */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Tree } from "#lib/edge/tree.ts";
import { type Words, words } from "./words.ts";

/** One directory on a machine: names of interfaces must differ among the routers of a test. */
const SOCKETS = "/var/run/wireguard";
const START_MS = 60_000;

const ip = (...argv: string[]) => promisify(execFile)("ip", argv);
const hex = (base64: string | undefined): string => Buffer.from(base64 ?? "", "base64").toString("hex");
const host = (address: string): string => (address.includes(":") ? `[${address}]` : address);

/** wireguard.com/xplatform, "Configuration Protocol". */
function deviceText(config: Words): string {
  const peers = config.names("peer").flatMap((name) => {
    const peer = config.at("peer", name);
    const [address, keepalive] = [peer.one("address"), peer.one("persistent-keepalive")];
    return [
      `public_key=${hex(peer.one("public-key"))}`,
      ...(address === undefined ? [] : [`endpoint=${host(address)}:${peer.one("port")}`]),
      ...(keepalive === undefined ? [] : [`persistent_keepalive_interval=${keepalive}`]),
      "replace_allowed_ips=true",
      ...peer.names("allowed-ips").map((prefix) => `allowed_ip=${prefix}`),
    ];
  });
  const own = [`private_key=${hex(config.one("private-key"))}`, `listen_port=${config.one("port")}`];
  return `${["set=1", ...own, "replace_peers=true", ...peers].join("\n")}\n\n`;
}

async function tell(name: string, text: string): Promise<void> {
  const socket = createConnection(`${SOCKETS}/${name}.sock`);
  socket.write(text);
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  if (!answer.includes("errno=0")) throw new Error(`wireguard-go does not take ${name}: ${answer.toString()}`);
}

async function start(program: string, name: string): Promise<void> {
  const child = spawn(program, [name], {
    detached: true,
    stdio: "ignore",
    env: { WG_PROCESS_FOREGROUND: "1", PATH: process.env.PATH },
  });
  child.unref();
  for (const end = performance.now() + START_MS; performance.now() < end; await sleep(50)) {
    const isThere = await tell(name, "set=1\n\n").then(
      () => true,
      () => false,
    );
    if (isThere) return;
  }
  throw new Error(`wireguard-go does not make ${name}`);
}

export interface Tunnels extends AsyncDisposable {
  make(running: Tree): Promise<void>;
}

/** @param program wireguard-go */
export function tunnels(program: string): Tunnels {
  /** By interface: what it was told. */
  const made = new Map<string, string>();
  return {
    async make(running) {
      const config = words(running).at("interfaces", "wireguard");
      for (const name of [...made.keys()].filter((each) => !config.has(each))) {
        await ip("link", "del", name);
        made.delete(name);
      }
      for (const name of config.names()) {
        const text = deviceText(config.at(name));
        if (made.get(name) === text) continue;
        if (!made.has(name)) await start(program, name);
        await tell(name, text);
        for (const address of config.names(name, "address")) await ip("addr", "replace", address, "dev", name);
        await ip("link", "set", name, "up");
        made.set(name, text);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const name of made.keys()) await ip("link", "del", name);
    },
  };
}

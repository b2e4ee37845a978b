/**
 * A node with its uplink, and pods on it, in namespaces below /run/netns: made from the facts of the pure modules by
 * iproute2 and nft. `test/jest.sh` gives every run a /run/netns of its own, so nothing stays behind.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { prefix } from "#lib/address.ts";
import { assemble } from "#lib/attach/assemble.ts";
import type { AttachmentType } from "#lib/attach/kinds.ts";
import { plan } from "#lib/attach/kinds.ts";
import { hostLinkName, linkAlias, podMac } from "#lib/attach/names.ts";
import { nodeFacts } from "#lib/datapath/node.ts";
import { root } from "#lib/parse.ts";
import { make, run } from "./iproute.ts";

/** Namespace of the node itself. */
export const HOST = "dp-node";

/** The node's own addresses. */
export const NODE = { 4: "192.0.2.1", 6: "2001:db8::1" };

/** The node's facts, and a machine `dp-outside` that is not told how to reach pods. */
export function makeNode(): void {
  const noMasquerade = ["10.1.0.0/16", "10.2.0.0/16", "fd01::/64", "fd02::/64"].map((p) => prefix(p));
  for (const name of [HOST, "dp-outside"]) addNamespace(name);
  make(nodeFacts({ noMasquerade, routerAdvertisedLinks: [] }), HOST);
  run(HOST, "ip link add up0 type veth peer name up0 netns dp-outside");
  for (const [namespace, host] of [
    [HOST, 1],
    ["dp-outside", 2],
  ] as const) {
    run(namespace, `ip addr add 192.0.2.${host}/24 dev up0`);
    run(namespace, `ip addr add 2001:db8::${host}/64 dev up0 nodad`);
    run(namespace, "ip link set up0 up");
  }
}

function addNamespace(name: string): void {
  execFileSync("ip", ["netns", "add", name]);
  run(name, "ip link set lo up");
  // A link-local address that is still being checked asks for nobody's MAC.
  run(name, "sysctl -q -w net/ipv6/conf/default/accept_dad=0");
}

export interface PodOptions {
  readonly type: AttachmentType;
  readonly config?: object;
  readonly addresses: readonly string[];
  /** Leads to port 80 of the pod. */
  readonly hostPort?: number;
}

/** A pod that sends only what is its own and is masqueraded, in a namespace of that name. */
export function makePod(name: string, options: PodOptions): void {
  addNamespace(name);
  const key = { containerId: name, ifname: "eth0" };
  const addresses = options.addresses.map((a) => ({ address: prefix(a) }));
  const hostLink = hostLinkName(key);
  const attached = { ...key, hostLink, alias: linkAlias(key), mac: podMac(key), mtu: 1500, addresses };
  const { hostPort } = options;
  const portMappings = hostPort === undefined ? [] : [{ hostPort, containerPort: 80, protocol: "tcp" as const }];
  const wishes = { masquerade: true, spoofProtection: true, portMappings };
  const built = assemble(plan(options.type, root(options.config ?? {})), attached, wishes);
  make([...built.shared, ...built.facts], HOST, name);
}

/** A server on port 80 that answers with the address it sees; resolves when it listens. */
export async function serve(namespace: string): Promise<ChildProcess> {
  const script = `require("net").createServer((s) => s.on("error", () => {}).end(s.remoteAddress)).listen(80, "::", () => console.log("up"))`;
  const child = spawn("ip", ["netns", "exec", namespace, process.execPath, "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}

/** What a server at `host` answers to a client in `namespace`: its view of the client, or an error's code. */
export function ask(namespace: string, host: string, port: number): string {
  const script = `const s = require("net").connect({ host: "${host}", port: ${port} });
    s.setTimeout(3500, () => { console.log("timeout"); process.exit(); });
    s.on("data", (d) => console.log(String(d).replace("::ffff:", ""))).on("error", (e) => console.log(e.code)).on("end", () => process.exit());`;
  return execFileSync("ip", ["netns", "exec", namespace, process.execPath, "-e", script], { encoding: "utf8" }).trim();
}

/** True when an echo comes back: within 9 s, or within 1 s where none is expected. `from` forces the source. */
export function pings(namespace: string, to: string, { from = "", seconds = 9 } = {}): boolean {
  try {
    run(namespace, `ping -c 1 -W ${seconds} ${from === "" ? "" : `-I ${from} `}${to}`);
    return true;
  } catch {
    return false;
  }
}

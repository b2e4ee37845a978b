/**
 * Tenants with the same addresses on one node, by the built programs: who reaches whom, seen by traffic and by captures,
 * and how the node reaches each pod.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { removeNamespace } from "../../conformance/namespace.ts";
import { eventually, inside, must, run, start, stop } from "../../conformance/program.ts";
import { capture } from "../attach/capture.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const test = needing(...LIVE, { file: "/usr/bin/python3" });

const POOL = [[{ subnet: "10.0.0.0/24" }], [{ subnet: "fd00::/64" }]];
const CONFIG = {
  // Where nsenter and the captures find them by name.
  routers: { dir: "/run/netns" },
  pools: [
    { name: "default", ranges: [[{ subnet: "10.66.0.0/16" }]] },
    { name: "blue", ranges: POOL },
    { name: "green", ranges: POOL },
    { name: "red", ranges: [[{ subnet: "10.3.0.0/24" }]] },
    { name: "grey", ranges: [[{ subnet: "10.4.0.0/24" }]] },
  ],
  tenants: [
    { name: "blue", peers: ["red"], services: [service("10.99.0.1")] },
    { name: "green", egress: false, peers: ["red"], services: [service("10.99.0.1")] },
    { name: "red", peers: ["blue", "grey"] },
    { name: "grey", peers: ["red"] },
  ],
  networks: [
    { name: "b", tenant: "blue", pool: "blue", reportProbeAddress: true },
    {
      name: "g",
      tenant: "green",
      pool: "green",
      reportProbeAddress: true,
      attachment: "bridge",
      options: { bridge: "br0", isDefaultGateway: true },
    },
    { name: "r", tenant: "red", pool: "red", reportProbeAddress: true },
    { name: "y", tenant: "grey", pool: "grey" },
    { name: "n" },
  ],
};

function service(address: string) {
  return { name: "web", address, port: 80, to: "192.0.2.2:8080" };
}

/** Answers HTTP requests with a word and the address that it sees. */
async function serve(namespace: string, port: number, word: string): Promise<ChildProcess> {
  const script = `require("http").createServer((q, a) => a.end("${word} sees " + q.socket.remoteAddress.replace("::ffff:", "")))
    .listen(${port}, "::", () => console.log("up"))`;
  const child = start(inside(namespace, [process.execPath, "-e", script]));
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}

/**
 * Sends a request and prints what the answer says. Ends with 1 when nobody takes the connection within a second, or
 * whoever took it does not answer within twenty.
 */
const ASK = `
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 1) as client:
        client.settimeout(20)
        client.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
        print(client.makefile().read().splitlines()[-1])
except OSError:
    sys.exit(1)
`;
/** What the answer to a request says, or "nobody". */
async function ask(namespace: string, host: string, port = 80): Promise<string> {
  const { exit, stdout } = await run(inside(namespace, ["python3", "-I", "-c", ASK, host, String(port)]));
  return exit === 0 ? stdout.trim() : "nobody";
}

/** The same of somebody who is there: on a busy machine a connection may take longer than a second. */
const answer = (...asked: Parameters<typeof ask>): Promise<string> =>
  eventually(`${asked.slice(1).join(":")} answers`, async () => {
    const said = await ask(...asked);
    return said === "nobody" ? undefined : said;
  });

/** Of two pods with the same address: each has a port of the node. */
const PORTS = { b1: 18_080, g1: 18_081 } as const;
const portsOf = (id: string) => {
  const hostPort = PORTS[id as keyof typeof PORTS];
  return hostPort === undefined
    ? {}
    : {
        capabilities: { portMappings: true },
        runtimeConfig: { portMappings: [{ hostPort, containerPort: 80, protocol: "tcp" }] },
      };
};

const PODS = { b1: "b", b2: "b", g1: "g", r1: "r", y1: "y", n1: "n" } as const;
type Pod = keyof typeof PODS;
let live: LiveNode;
const servers: ChildProcess[] = [];
/** Of each pod: on the node first, then its own, without lengths. */
const addresses = new Map<Pod, string[]>();
const own = (pod: Pod): string => addresses.get(pod)?.findLast((each) => each.startsWith("10.")) ?? "";
const probe = (pod: Pod): string => addresses.get(pod)?.[0] ?? "";

const running = process.getuid?.() === 0;
beforeAll(async () => {
  if (!running) return;
  live = await makeLiveNode({ name: "tenants", config: CONFIG });
  await live.pods(...Object.keys(PODS));
  for (const [id, network] of Object.entries(PODS)) {
    const ran = await live.ask("ADD", id, { config: { network, ...portsOf(id) } });
    if (ran.exit !== 0) throw new Error(ran.stdout + ran.stderr);
    const { ips } = JSON.parse(ran.stdout) as { ips: { address: string }[] };
    addresses.set(
      id as Pod,
      ips.map(({ address }) => address.replace(/\/\d+$/, "")),
    );
    servers.push(await serve(id, 80, id));
  }
  servers.push(await serve(live.outside.namespace, 8080, "outside"));
});

afterAll(async () => {
  if (!running) return;
  for (const server of servers) await stop(server);
  await live[Symbol.asyncDispose]();
  for (const { name } of CONFIG.tenants) await removeNamespace(`selvedge-${name}`);
});

test("pods of two tenants have the same address, and each reaches its neighbour only", async () => {
  expect([own("b1"), own("g1")]).toEqual(["10.0.0.2", "10.0.0.2"]);
  expect(await answer("b1", own("b2"))).toBe("b2 sees 10.0.0.2");
  expect(await ask("g1", own("b2"))).toBe("nobody");
  expect(await ask("n1", own("b2"))).toBe("nobody");
  expect(await ask("g1", probe("b2"))).toBe("nobody");
  expect(await ask("n1", probe("b2"))).toBe("nobody");
  expect(await ask("b1", probe("g1"))).toBe("nobody");
});

test("no packet of one tenant is seen in another's router, nor any tenant's address on the node", async () => {
  await using blue = await capture("selvedge-blue");
  await using green = await capture("selvedge-green");
  await using node = await capture(live.node.namespace);
  await answer("b1", own("b2"));
  await ask("g1", own("b2"));
  await ask("b1", probe("g1"));
  await answer("b1", "10.99.0.1");
  await answer("g1", "10.99.0.1");
  const onNode = await node.seen();
  const inBlue = await blue.seen();
  const inGreen = await green.seen();
  expect(onNode.length).toBeGreaterThan(0);
  expect(onNode.filter((line) => / 10\.0\.0\.\d+/.test(line))).toEqual([]);
  expect(inBlue.some((line) => line.endsWith("10.0.0.2 10.0.0.3"))).toBe(true);
  expect(inGreen.some((line) => line.includes("10.0.0.2 10.99.0.1"))).toBe(true);
  // What green asks of b2's address stays on green's own bridge, where nobody has it.
  expect(inGreen.filter((line) => line.includes("10.0.0.3") && line.includes(" in 10.0.0.3"))).toEqual([]);
  expect(inGreen.filter((line) => line.startsWith("uplink0") && line.includes(probe("g1")))).toEqual([]);
});

test("both reach a shared service by an address of their own, and see nothing else without egress", async () => {
  expect(await answer("b1", "10.99.0.1")).toBe("outside sees 192.0.2.1");
  expect(await answer("g1", "10.99.0.1")).toBe("outside sees 192.0.2.1");
  expect(await answer("b1", live.outside.ip4, 8080)).toBe("outside sees 192.0.2.1");
  expect(await ask("g1", live.outside.ip4, 8080)).toBe("nobody");
  expect(await answer("b1", live.outside.ip6, 8080)).toBe(`outside sees ${live.node.ip6}`);
});

test("the node reaches each pod, in both families, though two have the same address", async () => {
  for (const pod of ["b1", "b2", "g1", "r1"] as const)
    expect(await answer(live.node.namespace, probe(pod))).toMatch(new RegExp(`^${pod} sees 169\\.254\\.`));
  const six = addresses.get("g1")?.find((each) => each.startsWith("fd42:")) ?? "";
  expect(await answer(live.node.namespace, six)).toMatch(/^g1 sees fd42:/);
});

test("host ports lead to the pods of two tenants with one address, from outside and from the node, and no further", async () => {
  for (const [pod, port] of Object.entries(PORTS)) {
    expect(await answer(live.outside.namespace, live.node.ip4, port)).toMatch(new RegExp(`^${pod} sees `));
    expect(await answer(live.outside.namespace, live.node.ip6, port)).toMatch(new RegExp(`^${pod} sees `));
    expect(await answer(live.node.namespace, "127.0.0.1", port)).toMatch(new RegExp(`^${pod} sees 169\\.254\\.`));
    expect(await answer("n1", live.node.ip4, port)).toMatch(new RegExp(`^${pod} sees `));
  }
  expect(await ask(live.outside.namespace, live.node.ip4, 18_082)).toBe("nobody");
  const b1 = { config: { network: "b", ...portsOf("b1") } };
  expect(await live.ask("CHECK", "b1", b1)).toMatchObject({ exit: 0, stdout: "" });
});

test("peers that both say so reach each other; one that only is named does not, and nobody passes through", async () => {
  expect(await answer("b1", own("r1"))).toBe("r1 sees 10.0.0.2");
  expect(await answer("r1", own("b2"))).toBe(`b2 sees ${own("r1")}`);
  expect(await answer("r1", own("y1"))).toBe(`y1 sees ${own("r1")}`);
  expect(await ask("g1", own("r1"))).toBe("nobody");
  expect(await ask("b1", own("y1"))).toBe("nobody");
  expect(await ask("y1", own("b1"))).toBe("nobody");
});

test("a router that is unmounted, flushed or cut off is whole again, and CHECK says when", async () => {
  const check = async (id: Pod) => (await live.ask("CHECK", id, { config: { network: PODS[id] } })).stdout;
  expect(await check("b1")).toBe("");
  await live.on("umount", "-l", "/run/netns/selvedge-blue");
  await must(inside("selvedge-green", ["nft", "flush", "ruleset"]));
  const [uplink] = JSON.parse(await must(inside("selvedge-red", ["ip", "-j", "link", "show", "uplink0"]))) as {
    ifname: string;
  }[];
  expect(uplink?.ifname).toBe("uplink0");
  await must(inside("selvedge-red", ["ip", "link", "del", "uplink0"]));
  for (const pod of ["b1", "g1", "r1"] as const)
    await eventually(`${pod} is reached again`, async () =>
      (await ask(live.node.namespace, probe(pod))).startsWith(pod) ? true : undefined,
    );
  await eventually("blue is mounted", () => must(inside("selvedge-blue", ["echo", "yes"])));
  for (const pod of ["b1", "g1", "r1"] as const)
    await eventually(`CHECK of ${pod}`, async () => ((await check(pod)) === "" ? true : undefined));
  expect(await answer("g1", "10.99.0.1")).toBe("outside sees 192.0.2.1");
});

test("traffic goes on while the daemon is killed, and everything is as it was when it is back", async () => {
  await live.daemon.kill();
  expect(await answer("b1", own("b2"))).toBe("b2 sees 10.0.0.2");
  expect(await answer("g1", "10.99.0.1")).toBe("outside sees 192.0.2.1");
  expect(await answer(live.node.namespace, probe("g1"))).toMatch(/^g1 sees/);
  await removeNamespace("selvedge-red");
  await live.daemon.start();
  for (const pod of ["b1", "g1", "r1"] as const)
    await eventually(`${pod} is reached again`, async () =>
      (await ask(live.node.namespace, probe(pod))).startsWith(pod) ? true : undefined,
    );
  await eventually("red answers blue again", async () =>
    (await ask("b1", own("r1"))) === "nobody" ? undefined : true,
  );
});

test("when the pods are gone nothing of theirs is left on the node or in a router", async () => {
  for (const [id, network] of Object.entries(PODS)) {
    const ran = await live.ask("DEL", id, { config: { network } });
    expect(ran.exit).toBe(0);
  }
  const left = (await live.left()).filter((line) => !/\bst[0-9a-f]{11}\b/.test(line));
  expect(left).toEqual([]);
  for (const { name } of CONFIG.tenants) {
    const links = JSON.parse(await must(inside(`selvedge-${name}`, ["ip", "-j", "link"]))) as { ifname: string }[];
    expect(links.map(({ ifname }) => ifname).filter((link) => /^s[vb]/.test(link))).toEqual([]);
  }
});

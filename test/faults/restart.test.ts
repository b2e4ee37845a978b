/** Pods keep their network, leases and cool-downs while the daemon comes and goes; a second daemon is refused. */
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { BUILT } from "../../conformance/daemon.ts";
import { end, inside, run, start } from "../../conformance/program.ts";
import { ping100 } from "../cluster/ping.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const runs = needing(...LIVE, { file: "/usr/bin/python3" });
const config = { runtimeConfig: { bandwidth: { ingressRate: 100_000_000, ingressBurst: 8_000_000 } } };

let live: LiveNode;
beforeAll(async () => {
  if (runs === test.skip) return;
  live = await makeLiveNode({ name: "rs" });
  await live.pods("rs-a", "rs-b", "rs-c");
  for (const id of ["rs-a", "rs-b"]) expect(await live.ask("ADD", id, { config })).toMatchObject({ exit: 0 });
});
afterAll(async () => live?.[Symbol.asyncDispose]());

const addressOf = (id: string) =>
  String(live.rows("lease").find((row) => row.container_id === id && String(row.address).includes("."))?.address);

/** Sends numbered lines over one connection until its input ends, and says how many came back in order. */
const STREAM = `
import socket, sys, threading, time
side, host = sys.argv[1], sys.argv[2]
if side == "echo":
    listening = socket.create_server((host, 7000))
    print("ready", flush=True)
    peer, _ = listening.accept()
    while True:
        data = peer.recv(4096)
        if not data: break
        peer.sendall(data)
else:
    peer = socket.create_connection((host, 7000), 5)
    reader = peer.makefile("r")
    going = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), going.set()), daemon=True).start()
    sent = 0
    while not going.is_set():
        peer.sendall(f"{sent}\\n".encode())
        assert reader.readline() == f"{sent}\\n"
        sent += 1
        time.sleep(0.002)
    print(sent)
`;

runs("SIGKILL and SIGTERM under a ping at 100 Hz and a TCP stream: nothing is lost", async () => {
  const [to, outside] = [addressOf("rs-b"), live.outside.ip4];
  const pings = [to, outside].map((host) => ping100({ id: "rs-a" }, { address: { 4: host } }, 4));
  const echo = start(inside("rs-b", ["python3", "-c", STREAM, "echo", to]));
  await once(echo.stdout ?? echo, "data");
  const stream = start(inside("rs-a", ["python3", "-c", STREAM, "send", to]));
  let sent = "";
  stream.stdout?.on("data", (text: Buffer) => (sent += text));
  for (let i = 0; i < 3; i++) {
    await live.daemon.kill();
    await live.daemon.start();
    await live.daemon.stop();
    await live.daemon.start();
  }
  stream.stdin?.end();
  await once(stream, "close");
  end(echo, "SIGKILL");
  for (const ping of pings) {
    const { sent: asked, lost } = await ping.stop();
    expect(asked).toBeGreaterThan(50);
    expect(lost).toBe(0);
  }
  expect(Number(sent)).toBeGreaterThan(50);
  for (const id of ["rs-a", "rs-b"]) expect(await live.ask("CHECK", id, { config })).toMatchObject({ exit: 0 });
});

runs("a cool-down outlives the daemon: the address is not given to the next", async () => {
  expect(await live.ask("ADD", "rs-c")).toMatchObject({ exit: 0 });
  const was = addressOf("rs-c");
  expect(await live.ask("DEL", "rs-c")).toMatchObject({ exit: 0 });
  await live.daemon.kill();
  await live.daemon.start();
  expect(live.rows("cool_down").map(({ address }) => address)).toContain(was);
  expect(await live.ask("ADD", "rs-c")).toMatchObject({ exit: 0 });
  expect(addressOf("rs-c")).not.toBe(was);
  const refused = await live.ask("ADD", "rs-c", { config: { runtimeConfig: { ips: [was] } } });
  expect(refused.exit).toBe(1);
  expect(await live.ask("DEL", "rs-c")).toMatchObject({ exit: 0 });
});

runs("SIGTERM finishes what runs", async () => {
  const adding = live.ask("ADD", "rs-c");
  await new Promise((resolve) => setTimeout(resolve, 12));
  await live.daemon.stop();
  const { exit, stdout } = await adding;
  await live.daemon.start();
  if (exit === 0) expect(await live.ask("CHECK", "rs-c")).toMatchObject({ exit: 0 });
  else expect(JSON.parse(stdout)).toMatchObject({ code: 11 });
  expect(await live.ask("DEL", "rs-c")).toMatchObject({ exit: 0 });
});

runs("a second daemon is refused at once, and the first does not notice", async () => {
  const argv = [
    process.execPath,
    join(BUILT, "..", "cmd", "daemon.ts"),
    "--config",
    join(live.directory, "config.yaml"),
  ];
  const { NODE_OPTIONS: _, ...environment } = process.env as Record<string, string>;
  const second = await run(inside(live.node.namespace, argv), { environment });
  expect(second.exit).toBe(1);
  expect(second.stderr).toMatch(/selvedged: .*(another|other|in use)/);
  expect(second.tookMs).toBeLessThan(10_000);
  expect(await live.ask("STATUS", "")).toMatchObject({ exit: 0 });
});

/** A push that ends the sessions that a router has: by the router's own word, and taken back. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "@jest/globals";
import type { PushList, RouterList } from "#proto/selvedge_pb.ts";
import { makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { eventually, must } from "../../conformance/program.ts";
import { startNode } from "../cluster/node.ts";
import { namespaceOf } from "../cluster/place.ts";
import { pki } from "../store/pki.ts";
import { needing } from "../support/requirement.ts";
import { grammarFile } from "../support/vyos/grammar.ts";
import { MACHINE } from "../support/vyos/machine.ts";
import { API, KEY, startRouter } from "./router.ts";

const NODE = namespaceOf("a");
const [ROUTER, HOST] = ["edge-alone", "192.0.2.254"];
/** The node's network, and one that it is not on. */
const [HERE, ELSEWHERE] = ["192.0.2.0/24", "198.51.100.0/24"];

const ip = (namespace: string, words: string): Promise<string> => must(["ip", "-n", namespace, ...words.split(" ")]);

async function wire(): Promise<AsyncDisposable> {
  for (const space of [ROUTER, NODE]) await makeNamespace(space);
  await ip(ROUTER, `link add lan type veth peer name eth0 netns ${NODE}`);
  for (const [space, link, address] of [
    [ROUTER, "lan", `${HOST}/24`],
    [NODE, "eth0", "192.0.2.1/24"],
  ] as const) {
    await ip(space, `addr add ${address} dev ${link}`);
    await ip(space, `link set ${link} up`);
  }
  await ip(NODE, `route add default via ${HOST}`);
  return {
    async [Symbol.asyncDispose]() {
      for (const space of [NODE, ROUTER]) await removeNamespace(space);
    },
  };
}

needing("root", { program: "ip" }, { program: "openssl" }, ...MACHINE, { file: grammarFile("1.4") })(
  "a push after which the nodes' sessions stay down is taken back",
  async () => {
    await using stack = new AsyncDisposableStack();
    const certificates = stack.use(pki());
    const authority = certificates.authority("edge-ca");
    const directory = mkdtempSync(join(tmpdir(), "edge-"));
    stack.defer(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, "key"), `${KEY}\n`);
    stack.use(await wire());
    const identity = authority.issue("edge1", [`IP:${HOST}`]);
    const router = stack.use(await startRouter({ space: ROUTER, version: "1.4", identity, host: HOST }));
    const configWith = (listen: string) => ({
      pools: [{ name: "default", ranges: [[{ subnet: "10.66.0.0/16" }]] }],
      networks: [{ name: "net", expose: true }],
      edge: {
        windowMs: 50,
        verifySeconds: 3,
        routers: [
          {
            name: "edge1",
            url: `https://${HOST}:${API}`,
            key: { file: join(directory, "key") },
            trust: { ca: authority.ca },
            bgp: { as: 65_000, nodesAs: 65_001, addresses: [HOST], listen: [listen] },
          },
        ],
      },
    });
    const node = stack.use(await startNode("a", configWith(HERE)));
    const isUp = async () =>
      /\*192\.0\.2\.1 .* 1 +0 N\/A/.test(await router.vtysh("show bgp ipv4 unicast summary")) || undefined;
    await eventually("a session", isUp, 30_000);

    // The daemon's configuration is another one when it starts again.
    const file = join(dirname(dirname(node.store)), "config.yaml");
    const settings = JSON.parse(readFileSync(file, "utf8")) as object;
    await node.daemon.stop();
    writeFileSync(file, JSON.stringify({ ...settings, ...configWith(ELSEWHERE) }));
    await node.daemon.start();

    const found = await eventually(
      "it is taken back",
      async () => {
        const [state] = ((await node.ctl("edge", "status")) as RouterList).routers;
        return state?.phase === "paused" ? state : undefined;
      },
      30_000,
    );
    expect(found.message).toMatch(/revision 2 was taken back: of 1 BGP sessions 1 are down: 192\.0\.2\.1$/);
    const { pushes } = (await node.ctl("edge", "history", "edge1")) as PushList;
    expect(pushes.map(({ revision, result }) => [revision, result])).toEqual([
      [1, "done"],
      [2, "done"],
      [3, "done"],
    ]);
    expect(pushes[2]?.lines).toEqual([
      `+ protocols bgp listen range ${HERE} peer-group SELVEDGE`,
      `- protocols bgp listen range ${ELSEWHERE} peer-group SELVEDGE`,
    ]);
    await eventually("the session is back", isUp, 30_000);
  },
  120_000,
);

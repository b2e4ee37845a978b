/** The default route that a node has by a pair of routers: made, made again, and gone with the setting. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { type Daemon, startDaemon } from "../../conformance/daemon.ts";
import { ip, makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { eventually, inside } from "../../conformance/program.ts";
import { LIVE } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

/** The node's namespace. */
const NODE = "default-route";
const [LINK, GATEWAY, OPERATORS] = ["eth0", "192.0.2.250", "192.0.2.254"];
const routes = (): Promise<string> => ip(NODE, "route show default");
const isThere = async () => ((await routes()).includes(`via ${GATEWAY} dev ${LINK}`) ? true : undefined);

needing(...LIVE)(
  "a node has a default route by a pair of routers for as long as that is configured",
  async () => {
    await makeNamespace(NODE);
    await ip(NODE, `link add ${LINK} type veth peer name other`);
    await ip(NODE, `addr add 192.0.2.11/24 dev ${LINK}`);
    for (const link of [LINK, "other"]) await ip(NODE, `link set ${link} up`);
    await ip(NODE, `route add default via ${OPERATORS} dev ${LINK} metric 100`);

    const directory = mkdtempSync(join(tmpdir(), "default-route-"));
    writeFileSync(join(directory, "key"), "k\n");
    const network = { interface: "eth1", vrid: 10, addresses: [`${GATEWAY}/24`] };
    // Nobody is there; a node's own routes do not wait for that.
    const edge = (more: object) => ({
      routers: ["edge1", "edge2"].map((name, i) => ({
        name,
        url: `https://127.0.0.${i + 1}:9`,
        key: { file: join(directory, "key") },
      })),
      pairs: [{ name: "gate", routers: ["edge1", "edge2"], networks: [{ ...network, ...more }] }],
    });
    const options = { enter: (argv: readonly string[]) => inside(NODE, argv), directory };
    const config = { reconcile: { everySeconds: 1 } };
    let daemon: Daemon | undefined;
    try {
      daemon = await startDaemon({ ...options, config: { ...config, edge: edge({ defaultRouteMetric: 50 }) } });
      await eventually("the route is there", isThere);
      await ip(NODE, `route del default via ${GATEWAY}`);
      await eventually("it is there again", isThere);
      expect(await routes()).toContain(`via ${OPERATORS} dev ${LINK} metric 100`);
      await daemon.stop();
      daemon = await startDaemon({ ...options, config: { ...config, edge: edge({}) } });
      await eventually("it is gone", async () => ((await routes()).includes(GATEWAY) ? undefined : true));
      expect(await routes()).toContain(`via ${OPERATORS} dev ${LINK} metric 100`);
    } finally {
      await daemon?.kill();
      await removeNamespace(NODE);
      rmSync(directory, { recursive: true });
    }
  },
  180_000,
);

/** A pod on each node that asks a Service all the time; what it was told is on its node, and outlives it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../conformance/program.ts";
import { RESULTS } from "../cluster/watched.ts";
import { TOOLS } from "../runtimes/image.ts";
import type { KubeNode } from "./kube-node.ts";
import { NAMESPACE } from "./shop.ts";

const NAME = "prober";
const LOG = "/var/log/prober";
/** TCP asks again after 1, 3 and 7 s: what is answered after those was lost once, twice or thrice. */
const PATIENT_SECONDS = 10;
/** Ten times a second, as far as the machine lets it. The machine's clock: seconds since it began. */
const ASKING = `
while :; do
  read -r began _ </proc/uptime
  told=$(timeout ${PATIENT_SECONDS} wget -qO- "http://$SERVICE/") || told=
  read -r ended _ </proc/uptime
  echo "$began $ended $ADDRESS $told" >>/log/asked
  sleep 0.1
done
`;

/** @param service address or name */
export const prober = (service: string): object => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { namespace: NAMESPACE, name: NAME },
  spec: {
    selector: { matchLabels: { app: NAME } },
    template: {
      metadata: { labels: { app: NAME } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: "main",
            image: TOOLS,
            command: ["/bin/sh", "-c", ASKING],
            env: [
              { name: "SERVICE", value: service },
              { name: "ADDRESS", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
            ],
            volumeMounts: [{ name: "log", mountPath: "/log" }],
          },
        ],
        volumes: [{ name: "log", hostPath: { path: LOG, type: "DirectoryOrCreate" } }],
      },
    },
  },
});

export interface Asked {
  readonly node: string;
  /** Of the pod that asked. */
  readonly address: string;
  /** When it was told, or gave up: seconds of the machine's clock. */
  readonly endedS: number;
  readonly tookS: number;
  /** "": nothing, for so long. */
  readonly told: string;
}

/** Whose figures go to a file of that name in bench/results, which is written anew with every row. */
export function probed(table: string, nodes: readonly KubeNode[]) {
  const rows: string[] = [];
  let counted = nodes.map(() => 0);
  let sinceS = nowS();
  return {
    file: join(RESULTS, table),
    /**
     * Something happens, and then each node is told something again. @returns what failed since the last time, or since the
     * beginning
     */
    async during(what: string, work: () => Promise<void>): Promise<readonly Asked[]> {
      await work();
      const doneS = nowS();
      const lists = await eventually("each node has asked again", async () => {
        const all = await Promise.all(nodes.map(askedOn));
        return all.every((list) => list.some(({ endedS }) => endedS > doneS)) ? all : undefined;
      });
      const asked = lists.flatMap((list, i) => list.slice(counted[i]));
      counted = lists.map(({ length }) => length);
      const failed = asked.filter(({ told }) => told === "");
      const slowestMs = Math.max(0, ...asked.map(({ tookS }) => tookS)) * 1_000;
      rows.push(
        `| ${[what, (doneS - sinceS).toFixed(0), asked.length, failed.length, slowestMs.toFixed(0)].join(" | ")} |\n`,
      );
      sinceS = doneS;
      mkdirSync(RESULTS, { recursive: true });
      writeFileSync(join(RESULTS, table), [HEAD, ...rows].join(""));
      return failed;
    },
  };
}

const HEAD = "| step | took, s | requests | failed | slowest, ms |\n|---|---|---|---|---|\n";

const nowS = (): number => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);

async function askedOn({ name, on }: KubeNode): Promise<Asked[]> {
  const lines = await on("sh", "-c", `cat ${LOG}/asked 2>/dev/null || :`);
  return Array.from(lines.matchAll(/^(\S+) (\S+) (\S+) (.*)\n/gm), ([, began, ended, address = "", told = ""]) => ({
    node: name,
    address,
    endedS: Number(ended),
    tookS: Number(ended) - Number(began),
    told,
  }));
}

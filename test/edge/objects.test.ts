/**
 * The daemon as a process, an API server and routers that stand in for real ones: routers that are objects come, change and go
 * while it runs, beside one of its file.
 */
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { SPEAKER_DIRECTORY } from "#lib/config/edge.ts";
import { linesOf } from "#lib/edge/tree.ts";
import type { PushList, Router } from "#proto/selvedge_pb.ts";
import { startDaemon } from "../../conformance/daemon.ts";
import { eventually, must, run } from "../../conformance/program.ts";
import { pki } from "../store/pki.ts";
import type { FakeApiServer } from "../support/kubernetes/api-server.ts";
import { authority } from "../support/kubernetes/authority.ts";
import { writeKubeconfig } from "../support/kubernetes/kubeconfig.ts";
import { needing } from "../support/requirement.ts";
import { grammarFile } from "../support/vyos/grammar.ts";
import { MACHINE } from "../support/vyos/machine.ts";
import { type Standin, standin } from "../support/vyos/standin.ts";

const kubernetes = authority();
const runs = needing("root", { file: grammarFile("1.4") }, { file: grammarFile("rolling") });
const withFrr = needing("root", { program: "vtysh" }, ...MACHINE);
const LONG_MS = 120_000;
const TOP = join(import.meta.dirname, "..", "..");

/** An object of which something was said. */
interface Said {
  readonly metadata: { readonly generation?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[];
  };
}

const groupsOf = (router: Standin): string[] =>
  linesOf(router.running)
    .flatMap((line) => /^firewall group network-group (\S+) network/.exec(line)?.[1] ?? [])
    .toSorted();
const comesTo = (what: string, holds: () => boolean) => eventually(what, async () => holds() || undefined, LONG_MS);
const hostOf = ({ url }: Standin): string => new URL(url).host;
/** Paths asked for with a key. */
const keyed = ({ requests }: Standin): string[] => requests.filter((path) => path !== "/info");
const commits = (router: Standin): number => router.requests.filter((path) => path === "/configure").length;

/** What is in an API server. */
function objectsOf({ objects }: FakeApiServer) {
  let generation = 0;
  const routerObject = (name: string) => ({
    apiVersion: "selvedge.dev/v1alpha1",
    kind: "Router",
    metadata: { name, generation, creationTimestamp: "2026-01-01T00:00:00Z" },
  });
  return {
    secret: (name: string, value: string, hosts?: string): void =>
      objects.put({
        apiVersion: "v1",
        kind: "Secret",
        metadata: {
          namespace: "kube-system",
          name,
          ...(hosts !== undefined && { annotations: { "selvedge.dev/router-hosts": hosts } }),
        },
        data: { api: Buffer.from(`${value}\n`).toString("base64") },
      }),
    put(name: string, spec: object): void {
      generation += 1;
      const status = objects.find(routerObject(name))?.status;
      objects.put({ ...routerObject(name), spec, ...(status === undefined ? {} : { status }) });
    },
    remove: (name: string): void => objects.remove(routerObject(name)),
    /** What the condition says of the object as it is now; "" where nothing is said of that. */
    ready(name: string): string {
      const found = objects.find(routerObject(name)) as Said | undefined;
      const { status, reason, message } = found?.status?.conditions?.find(({ type }) => type === "Ready") ?? {};
      return found?.status?.observedGeneration === found?.metadata.generation ? `${status} ${reason} ${message}` : "";
    },
  };
}

const isHere = kubernetes.runs !== test.skip;
(isHere ? runs : test.skip)(
  "routers that are objects come, change and go, under a push, too, and the file's goes on",
  async () => {
    using certificates = pki();
    const edge = certificates.authority("edge-ca");
    const identity = edge.issue("edge", ["IP:127.0.0.1"]);
    await using server = await kubernetes.server();
    await using ofFile = await standin("1.4", identity);
    await using first = await standin("1.4", identity);
    await using second = await standin("rolling", identity);
    const directory = mkdtempSync(join(tmpdir(), "edge-objects-"));
    writeFileSync(join(directory, "key"), `${ofFile.key}\n`);
    const kubeconfig = writeKubeconfig(directory, server, kubernetes.ca);
    const groups = (...names: string[]) => names.map((name) => ({ name, of: "pools" }));
    const { fingerprint256: fingerprint } = new X509Certificate(readFileSync(identity.certificate));
    const { secret, put: putRouter, remove, ready } = objectsOf(server);
    const put = (name: string, url: string, key: string, ...names: string[]): void =>
      putRouter(name, {
        url,
        key: { secret: { name: key, key: "api" } },
        trust: { fingerprint },
        groups: groups(...names),
      });
    const config = {
      networks: [{ name: "net", expose: true }],
      kubernetes: { kubeconfig, resources: true },
      edge: {
        windowMs: 50,
        driftSeconds: 5,
        routers: [
          {
            name: "ofFile",
            url: ofFile.url,
            key: { file: join(directory, "key") },
            trust: { ca: edge.ca },
            groups: groups("FILE"),
          },
        ],
      },
    };
    const daemon = await startDaemon({ enter: (argv) => [...argv], directory, config });
    const ctl = async <T>(...words: string[]): Promise<T> =>
      JSON.parse(
        await must([process.execPath, join(TOP, "cmd/ctl.ts"), "edge", ...words, "--json"], {
          environment: { ...daemon.environment, PATH: process.env.PATH ?? "" },
        }),
      ) as T;
    const has = (router: Standin, ...names: readonly string[]) => groupsOf(router).join() === names.join();
    try {
      await comesTo("the file's", () => has(ofFile, "FILE"));
      secret("first", first.key, hostOf(first));
      put("object1", first.url, "first", "ONE");
      put("object2", second.url, "first", "TWO");
      await comesTo("the first", () => has(first, "ONE"));
      await comesTo("it says so", () => ready("object1").startsWith("True InSync"));
      await comesTo("the other is not given the key of the first", () =>
        ready("object2").includes(`router-hosts does not name that; add "${hostOf(second)}"`),
      );
      expect(keyed(second)).toEqual([]);
      put("object2", second.url, "second", "TWO");
      await comesTo("the other lacks its key", () =>
        /^False (Failing|Open) .*there is no Secret/.test(ready("object2")),
      );
      const { routers } = await ctl<{ routers: Router[] }>("status");
      expect(routers.map(({ name }) => name).toSorted()).toEqual(["object1", "object2", "ofFile"]);
      secret("second", second.key, `${hostOf(first)}, ${hostOf(second)}`);
      await comesTo("its key has come", () => has(second, "TWO"));
      // What is under way ends first, and is taken back by what came meanwhile.
      first.commitMs = 3_000;
      put("object1", first.url, "first", "ONE", "LATE");
      const before = commits(first);
      await comesTo("a push", () => commits(first) > before);
      put("object1", first.url, "first", "THREE");
      put("object2", second.url, "second", "TWO", "MORE");
      await comesTo("the other does not wait", () => has(second, "MORE", "TWO"));
      expect(groupsOf(first)).toEqual(["ONE"]);
      await comesTo("what was under way", () => has(first, "LATE", "ONE"));
      await comesTo("the newest", () => has(first, "THREE"));
      first.commitMs = 0;

      // Another key, by another Secret.
      first.key = "another-key";
      secret("third", first.key, hostOf(first));
      put("object1", first.url, "third", "FOUR");
      await comesTo("with another key", () => has(first, "FOUR"));

      // A push is under way as it goes: it ends, and what is there stays.
      second.commitMs = 3_000;
      put("object2", second.url, "second", "LAST");
      const earlier = commits(second);
      await comesTo("a push", () => commits(second) > earlier);
      remove("object2");
      await eventually("it is known of no more", async () => {
        const left = (await ctl<{ routers: Router[] }>("status")).routers.map(({ name }) => name);
        return left.toSorted().join() === "object1,ofFile" || undefined;
      });
      await comesTo("the push has ended", () => has(second, "LAST"));
      second.commitMs = 0;
      second.operate([{ op: "delete", path: ["firewall", "group", "network-group", "LAST"] }]);
      const looks = ofFile.requests.length;
      await comesTo("others are looked at", () => ofFile.requests.length > looks + 3);
      expect(groupsOf(second)).toEqual([]);

      // It comes back, and is known to have been pushed to.
      put("object2", second.url, "second", "BACK");
      await comesTo("it is back", () => has(second, "BACK"));
      const { pushes } = await ctl<PushList>("history", "object2");
      expect(pushes.map(({ result }) => result)).toEqual(["done", "done", "done", "done"]);
      await daemon.kill();
      const all = [ofFile, first, second];
      const asked = all.map((router) => [router.requests.length, commits(router)] as const);
      await daemon.start();
      await comesTo("all goes on after a restart", () =>
        all.every((router, i) => router.requests.length > (asked[i]?.[0] ?? 0) + 3),
      );
      expect(all.map(commits)).toEqual(asked.map(([, pushed]) => pushed));
      expect(all.map((router) => groupsOf(router).join())).toEqual(["FILE", "FOUR", "BACK"]);
      // It has no nodes.
      expect(server.mistakes.filter((each) => !each.includes("/nodes/"))).toEqual([]);
      for (const key of [first.key, second.key]) expect(daemon.log()).not.toContain(key);
    } finally {
      await daemon.kill();
      rmSync(directory, { recursive: true });
    }
  },
  4 * LONG_MS,
);

(isHere ? withFrr : test.skip)(
  "FRR on the node calls the routers that there are, whoever of them cannot be called",
  async () => {
    await using server = await kubernetes.server();
    const directory = mkdtempSync(join(tmpdir(), "edge-called-"));
    const kubeconfig = writeKubeconfig(directory, server, kubernetes.ca);
    const config = { networks: [{ name: "net", expose: true }], kubernetes: { kubeconfig, resources: true } };
    const { secret, put, remove } = objectsOf(server);
    const called = (url: string, address: string, more: object = {}) => ({
      url,
      key: { secret: { name: "edge", key: "api" } },
      bgp: { as: 65_000, nodesAs: 65_001, addresses: [address], ...more },
    });
    const daemon = await startDaemon({ enter: (argv) => [...argv], directory, config });
    const neighbours = async (): Promise<string> => {
      const { exit, stdout } = await run(["vtysh", "--vty_socket", SPEAKER_DIRECTORY, "-c", "show running-config"]);
      return exit === 0 ? (stdout.match(/neighbor \S+ remote-as/g) ?? []).map((line) => line.split(" ")[1]).join() : "";
    };
    const calls = (what: string, wanted: string) =>
      eventually(what, async () => (await neighbours()) === wanted || undefined, LONG_MS);
    try {
      // Nobody answers at either, which is nothing to FRR.
      put("one", called("https://127.0.0.1:1", "192.0.2.1"));
      put("two", called("https://127.0.0.1:2", "192.0.2.2", { password: { secret: { name: "two", key: "api" } } }));
      await calls("the first, while the other's password is not there", "192.0.2.1");
      secret("two", "s3cret", "127.0.0.1:2");
      await calls("both", "192.0.2.1,192.0.2.2");
      put("one", called("https://127.0.0.1:1", "192.0.2.3"));
      await calls("another address", "192.0.2.2,192.0.2.3");
      remove("two");
      await calls("one of them", "192.0.2.3");
      remove("one");
      await calls("nobody", "");
      put("one", called("https://127.0.0.1:1", "192.0.2.1"));
      await calls("the first again", "192.0.2.1");
      expect(daemon.log()).not.toContain("s3cret");
    } finally {
      remove("one");
      await calls("it ends", "");
      await daemon.kill();
      rmSync(directory, { recursive: true });
    }
  },
  4 * LONG_MS,
);

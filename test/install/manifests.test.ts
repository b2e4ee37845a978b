/** What the manifests say fits together, and fits what they install. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parseAllDocuments } from "yaml";
import { parseConfig } from "#lib/config/config.ts";
import { DEFINITIONS, RESOURCES } from "#lib/k8s/api/resource.ts";
import { KINDS } from "#lib/store/kubernetes/kinds.ts";

const TOP = join(import.meta.dirname, "../..");
const { version } = JSON.parse(readFileSync(join(TOP, "package.json"), "utf8")) as { version: string };

interface Container {
  readonly image: string;
  readonly command: readonly string[];
  readonly volumeMounts?: readonly { readonly name: string }[];
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly rules?: readonly { readonly apiGroups: readonly string[]; readonly resources: readonly string[] }[];
  readonly spec?: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly Container[];
        readonly initContainers?: readonly Container[];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}
const read = (name: string): Manifest[] =>
  parseAllDocuments(readFileSync(join(TOP, "install/kubernetes", name), "utf8")).map((each) => each.toJS() as Manifest);
const all = read("selvedge.yaml");
const store = read("store.yaml");
const one = (kind: string): Manifest => {
  const found = all.find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
};

test("there is what a cluster needs, and nothing twice", () => {
  expect(all.map(({ kind }) => kind)).toEqual([
    "ServiceAccount",
    "ConfigMap",
    "ClusterRole",
    "ClusterRoleBinding",
    "DaemonSet",
  ]);
});

test("what takes it off a node takes its place there", () => {
  const [uninstall] = read("uninstall.yaml");
  const { metadata, spec } = one("DaemonSet") as Manifest & { spec: { selector: object } };
  expect(uninstall).toMatchObject({ kind: "DaemonSet", metadata, spec: { selector: spec.selector } });
});

test("the configuration has no mistakes, meets in the namespace of Leases, and follows the API server as the pod's service account", () => {
  const config = parseConfig(one("ConfigMap").data?.["selvedged.yaml"] ?? "");
  expect(config.policies).toEqual({ logDenied: false, audit: false });
  expect(config.kubernetes).toBeDefined();
  expect(config.kubernetes).not.toHaveProperty("kubeconfig");
  expect(config.cluster?.store.kubernetes?.namespace).toBe(
    store.find(({ kind }) => kind === "Namespace")?.metadata.name,
  );
});

test.each([
  ["selvedge.yaml", "DaemonSet"],
  ["uninstall.yaml", "DaemonSet"],
])("%s: every volume is mounted, every mount has its volume, the image is of this version", (file, kind) => {
  const {
    containers = [],
    initContainers = [],
    volumes = [],
  } = read(file).find((each) => each.kind === kind)?.spec?.template.spec ?? {};
  const everywhere = [...containers, ...initContainers];
  expect(everywhere.length).toBeGreaterThan(0);
  const mounted = new Set(everywhere.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name)));
  expect([...mounted].toSorted()).toEqual(volumes.map(({ name }) => name).toSorted());
  expect(new Set(everywhere.map(({ image }) => image))).toEqual(new Set([`selvedge:${version}`]));
});

const resourcesOf = (of: readonly Manifest[], kind: string): string[] =>
  of
    .filter((each) => each.kind === kind)
    .flatMap(({ rules = [] }) =>
      rules.flatMap(({ apiGroups, resources }) =>
        apiGroups.flatMap((group) => resources.map((resource) => (group === "" ? resource : `${resource}.${group}`))),
      ),
    );

test("rights are to what is followed, and to what is said of pods' and nodes' networks", () => {
  const given = resourcesOf(all, "ClusterRole");
  const followed = [...RESOURCES, DEFINITIONS].map(({ plural }) => plural);
  expect(given.toSorted()).toEqual([...followed, "pods/status", "nodes/status"].toSorted());
});

test("rights to the store are to what it is made of, and Leases only to those of their namespace", () => {
  expect(resourcesOf(store, "ClusterRole")).toEqual(KINDS.map(({ plural }) => plural));
  expect(resourcesOf(store, "Role")).toEqual(["leases.coordination.k8s.io"]);
  const [role] = store.filter(({ kind }) => kind === "Role");
  expect(role?.metadata.namespace).toBe("selvedge");
});

test.each(["selvedge.yaml", "store.yaml", "uninstall.yaml"])("%s says something with every key", (name) => {
  const said = JSON.stringify(read(name));
  expect(said.length).toBeGreaterThan(500);
  expect(said).not.toContain("null");
});

test("the image with FRR is the other one, of this version, and what its programs and a speaker need", () => {
  const [without = "", having = ""] = ["Dockerfile", "with-frr.Dockerfile"].map((name) =>
    readFileSync(join(TOP, "install/kubernetes", name), "utf8"),
  );
  expect(having).toContain(`ARG SELVEDGE=selvedge:${version}\n`);
  expect(having).toContain(`--tag selvedge:${version}-frr .\n`);
  const installed = (text: string) =>
    /--no-install-recommends([\sa-z0-9\\-]+?)(?:&&|\nCOPY)/.exec(text)?.[1]?.match(/\w[\w-]*/g) ?? [];
  expect(installed(without).length).toBeGreaterThan(2);
  expect(installed(having).toSorted()).toEqual([...installed(without), "frr", "frr-pythontools"].toSorted());
  const ran = (text: string) => text.match(/^(?:ENV|ENTRYPOINT|CMD) .*$/gm);
  expect(ran(having)).toEqual(ran(without));
});

const DROP_INS = ["install/systemd/network ", "install/systemd/networkd.conf.d ", "install/NetworkManager/conf.d "];

test("the image has what the manifests run, and what tells others to leave our links alone", () => {
  const dockerfile = readFileSync(join(TOP, "install/kubernetes/Dockerfile"), "utf8");
  for (const file of [
    "dist/selvedge",
    "dist/selvedged",
    "dist/selvedgectl",
    "install-node.sh",
    "05-selvedge.conflist",
    ...DROP_INS,
  ])
    expect(dockerfile).toContain(file);
});

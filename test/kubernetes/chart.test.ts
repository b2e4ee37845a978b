/** The chart with Helm itself: what it makes, what it refuses, and what becomes of a release in an API server. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { parse, parseAllDocuments } from "yaml";
import { parseConfig } from "#lib/config/config.ts";
import { must } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { served } from "./applied-store.ts";
import { type ControlPlane, controlPlane, PROGRAMS } from "./control-plane.ts";
import { startControllers } from "./controllers.ts";
import { runs } from "./runs.ts";

const CHART = join(import.meta.dirname, "../../install/kubernetes");
const HELM = join(PROGRAMS, "helm");
const KUBECTL = join(PROGRAMS, "kubectl");
const withHelm = needing({ file: HELM });
const withKustomize = needing({ file: KUBECTL });
const live = withHelm === test.skip ? test.skip : runs;

const stack = new AsyncDisposableStack();
let directory = "";
let kubernetes: ControlPlane;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "helm-"));
  stack.defer(() => rmSync(directory, { recursive: true }));
  if (live === test.skip) return;
  kubernetes = stack.use(await controlPlane({ controllers: true }));
  // Namespaces go by them.
  stack.use(startControllers(kubernetes));
}, 180_000);
afterAll(() => stack.disposeAsync(), 60_000);

const environment = () => ({ HOME: directory, PATH: process.env.PATH ?? "", HELM });
const helm = (...argv: readonly string[]): Promise<string> =>
  must([HELM, ...argv], { environment: environment(), deadlineMs: 120_000 });
const template = (...values: readonly string[]): Promise<string> =>
  helm("template", "selvedge", CHART, "--namespace=kube-system", ...values);

interface Made {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}
const documents = (text: string): Made[] => parseAllDocuments(text).map((each) => each.toJS() as Made);
const read = (name: string): string => readFileSync(join(CHART, name), "utf8");
const sorted = (of: readonly Made[]): string[] => of.map((each) => JSON.stringify(each)).toSorted();
const found = (of: readonly Made[], kind: string): Made | undefined => of.find((each) => each.kind === kind);

withHelm("helm has nothing to complain of", async () => {
  expect(await helm("lint", "--strict", CHART)).toContain("1 chart(s) linted, 0 chart(s) failed");
});

withHelm("the plain manifests are what render.sh makes", async () => {
  await must(["bash", join(CHART, "render.sh"), directory], { environment: environment() });
  for (const name of ["selvedge.yaml", "uninstall.yaml"])
    expect(readFileSync(join(directory, name), "utf8")).toBe(read(name));
});

withHelm("a release is the plain manifests, and nothing besides", async () => {
  const plain = ["store.yaml", "selvedge.yaml"].flatMap((name) => documents(read(name)));
  expect(sorted(documents(await template()))).toEqual(sorted(plain));
  expect(plain.length).toBeGreaterThan(10);
});

const REFUSED: readonly (readonly [value: string, message: string])[] = [
  ["imagee.tag=1", "additional properties 'imagee' not allowed"],
  ["image.name=selvedge", "additional properties 'name' not allowed"],
  ["image.digest=sha256:1", "at '/image/digest'"],
  ["image.pullPolicy=Sometimes", "at '/image/pullPolicy'"],
  ["image.repository=", "at '/image/repository'"],
  ["apiServer.port=70000", "at '/apiServer/port'"],
  ["cni.binDir=opt/cni/bin", "at '/cni/binDir'"],
  ["maxUnavailable=0", "at '/maxUnavailable'"],
  ["maxUnavailable=110%", "at '/maxUnavailable'"],
  ["uninstall=perhaps", "at '/uninstall'"],
  ["privileged=perhaps", "at '/privileged'"],
  ["configuration.pools=10.66.0.0/16", "at '/configuration/pools'"],
  ["configuration.kubernetes=null", "at '/configuration'"],
  ["configuration.stateDir=/data", "at '/configuration/stateDir'"],
  ["configuration.socket=/run/other.sock", "at '/configuration/socket'"],
  ["secrets[0]=etcd", "at '/secrets/0'"],
  ["secrets[0].items[0].key=a", "at '/secrets/0'"],
  ["podLabels.app\\.kubernetes\\.io/name=other", "at '/podLabels/app.kubernetes.io~1name'"],
  ["podAnnotations.selvedge\\.dev/configuration=other", "at '/podAnnotations/selvedge.dev~1configuration'"],
  ["configuration.cluster.store.etcd.compactHours=1", "at '/configuration/cluster/store'"],
  ["configuration.cluster.store.kubernetes.namespace=other", "at '/configuration/cluster/store/kubernetes/namespace'"],
];
withHelm.each(REFUSED)("%s is refused", async (value, message) => {
  await expect(template(`--set=${value}`)).rejects.toThrow(message);
});

const DIGEST = `sha256:${"5e".repeat(32)}`;
const { appVersion: APP_VERSION } = parse(read("Chart.yaml")) as { appVersion: string };

/** What is there with the values and not without. */
const HEEDED: readonly (readonly [values: string, said: string])[] = [
  ["image.repository=registry.example/selvedge,image.tag=1.2.3", '"image":"registry.example/selvedge:1.2.3"'],
  [`image.digest=${DIGEST}`, `"image":"selvedge:${APP_VERSION}@${DIGEST}"`],
  ["image.pullPolicy=Always", '"imagePullPolicy":"Always"'],
  ["image.pullSecrets[0].name=mine", '"imagePullSecrets":[{"name":"mine"}]'],
  ["apiServer.host=192.0.2.10,apiServer.port=443", '{"name":"KUBERNETES_SERVICE_HOST","value":"192.0.2.10"}'],
  ["apiServer.host=192.0.2.10,apiServer.port=443", '{"name":"KUBERNETES_SERVICE_PORT","value":"443"}'],
  ["cni.binDir=/usr/libexec/cni", '{"path":"/usr/libexec/cni","type":"DirectoryOrCreate"}'],
  ["cni.confDir=/etc/k0s/cni", '{"path":"/etc/k0s/cni","type":"DirectoryOrCreate"}'],
  ["privileged=true", '"securityContext":{"privileged":true}'],
  ["configuration.tenants[0].name=blue", '"securityContext":{"privileged":true}'],
  ["configuration.kubernetes.resources=true", '"securityContext":{"privileged":true}'],
  ["configuration.sriov.kubeletDir=/var/lib/kubelet/x", '"mountPropagation":"Bidirectional"'],
  ["resources.limits.memory=400Mi", '"limits":{"memory":"400Mi"}'],
  ["maxUnavailable=1", '"maxUnavailable":1}'],
  ["nodeSelector.role=worker", '"nodeSelector":{"kubernetes.io/os":"linux","role":"worker"}'],
  ["affinity.podAntiAffinity.x=y", '"affinity":{"podAntiAffinity":{"x":"y"}}'],
  ["tolerations[0].key=mine", '"tolerations":[{"key":"mine"}]'],
  ["priorityClassName=high", '"priorityClassName":"high"'],
  ["podAnnotations.a=b", '"a":"b"'],
  ["podLabels.c=d", '{"app.kubernetes.io/name":"selvedge","c":"d"}'],
  ["configuration.sriov.kubeletDir=/var/lib/kubelet/x", '"mountPath":"/var/lib/kubelet/x"'],
  ["configuration.sriov.kubeletDir=/var/lib/kubelet/x", '"path":"/var/lib/kubelet/pod-resources"'],
  ["secrets[0].name=etcd", '"sources":[{"configMap":{"name":"selvedge"}},{"secret":{"name":"etcd"}}]'],
  [
    "secrets[0].name=etcd,secrets[0].items[0].key=tls.crt,secrets[0].items[0].path=node.pem",
    '{"secret":{"items":[{"key":"tls.crt","path":"node.pem"}],"name":"etcd"}}',
  ],
  ["configuration.shutdownSeconds=100", '"terminationGracePeriodSeconds":122'],
  ["uninstall=true,cni.binDir=/usr/libexec/cni", '{"path":"/usr/libexec/cni","type":"DirectoryOrCreate"}'],
  ["uninstall=true,cni.confDir=/etc/k0s/cni", '{"path":"/etc/k0s/cni","type":"DirectoryOrCreate"}'],
  ["uninstall=true", '"command":["/opt/selvedge/install-node.sh","uninstall"]'],
];
withHelm.each(HEEDED)("%s is heeded", async (values, said) => {
  expect(JSON.stringify(documents(await template()))).not.toContain(said);
  expect(JSON.stringify(documents(await template(`--set=${values}`)))).toContain(said);
});

withHelm(
  "no container of the DaemonSet is privileged, unless its configuration takes it or somebody says so",
  async () => {
    const plain = JSON.stringify(documents(await template()));
    expect(plain).not.toContain('"privileged"');
    expect(plain).not.toContain("Bidirectional");
    expect(plain).toContain('"capabilities":{"drop":["ALL"],"add":["NET_ADMIN",');
    const without = "--set=privileged=false,configuration.kubernetes.resources=true";
    expect(JSON.stringify(documents(await template(without)))).not.toContain('"privileged"');
  },
);

withHelm("nodes that meet elsewhere have no rights to a store in the API server", async () => {
  const elsewhere = documents(
    await template(
      "--set=configuration.cluster.store.kubernetes=null",
      "--set=configuration.cluster.store.etcd.endpoints[0]=https://192.0.2.10:2379",
    ),
  );
  expect(found(elsewhere, "CustomResourceDefinition")).toBeUndefined();
  expect(elsewhere.map(({ metadata }) => metadata.name)).not.toContain("selvedge-store");
  expect(sorted(elsewhere)).toHaveLength(documents(read("selvedge.yaml")).length);
});

withHelm(
  "networks and pools as objects are defined where they are asked for, and are not lost with the release",
  async () => {
    const made = documents(await template("--set=configuration.kubernetes.resources=true"));
    const plain = made.map(({ metadata: { annotations: _, ...metadata }, ...each }) => ({ ...each, metadata }));
    for (const each of documents(read("resources.yaml"))) expect(plain).toContainEqual(each);
    const defined = made.filter(({ kind }) => kind === "CustomResourceDefinition");
    expect(defined.map(({ metadata }) => metadata.name)).toContain("networks.selvedge.dev");
    for (const { metadata } of defined) expect(metadata.annotations).toEqual({ "helm.sh/resource-policy": "keep" });
  },
);

withHelm("in another namespace the service account is had from there", async () => {
  const made = documents(await template("--namespace=network"));
  expect(JSON.stringify(made)).not.toContain("kube-system");
  expect(found(made, "DaemonSet")?.metadata.namespace).toBe("network");
});

/** What kustomize makes of the folder as a base, and of what an overlay lays over it. */
async function overlaid(settings: object, files: Readonly<Record<string, string>> = {}): Promise<Made[]> {
  const top = mkdtempSync(join(directory, "overlay-"));
  cpSync(CHART, join(top, "base"), { recursive: true });
  writeFileSync(join(top, "kustomization.yaml"), JSON.stringify({ resources: ["base"], ...settings }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(top, name), text);
  return documents(await must([KUBECTL, "kustomize", top], { environment: environment() }));
}

withKustomize("as a base of kustomize it is the same", async () => {
  const plain = ["store.yaml", "selvedge.yaml"].flatMap((name) => documents(read(name)));
  const names = (of: readonly Made[]) => of.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted();
  expect(names(await overlaid({}))).toEqual(names(plain));
});

withKustomize("an overlay's image is in all of its places", async () => {
  const images = [{ name: "selvedge", newName: "registry.example/selvedge", digest: DIGEST }];
  const text = JSON.stringify(found(await overlaid({ images }), "DaemonSet"));
  expect(text.split(`"registry.example/selvedge@${DIGEST}"`)).toHaveLength(3);
  expect(text).not.toContain(`"selvedge:${APP_VERSION}"`);
});

withKustomize(
  "an overlay has a configuration, a prefix and a namespace of its own, where Leases are, too",
  async () => {
    const configuration = "kubernetes: {}\ncluster: { store: { kubernetes: { namespace: network } } }\n";
    const made = await overlaid(
      {
        namespace: "network",
        namePrefix: "my-",
        configMapGenerator: [
          { name: "selvedge", namespace: "kube-system", behavior: "replace", files: ["selvedged.yaml"] },
        ],
      },
      { "selvedged.yaml": configuration },
    );
    expect(JSON.stringify(made)).not.toContain("kube-system");
    expect(found(made, "ConfigMap")).toMatchObject({ data: { "selvedged.yaml": configuration } });
    expect(found(made, "Role")?.metadata.namespace).toBe(
      parseConfig(configuration).cluster?.store.kubernetes?.namespace,
    );
    const { name } = found(made, "ServiceAccount")?.metadata ?? {};
    expect(name).toBe("my-selvedge");
    for (const kind of ["RoleBinding", "ClusterRoleBinding"])
      expect(found(made, kind)).toMatchObject({ subjects: [{ name, namespace: "network" }] });
    const daemonSet = JSON.stringify(found(made, "DaemonSet"));
    expect(daemonSet).toContain(`"serviceAccountName":"${name}"`);
    expect(daemonSet).toContain(`"sources":[{"configMap":{"name":"${found(made, "ConfigMap")?.metadata.name}"}}]`);
  },
);

withHelm("the namespace of Leases is not made anew for a release that is there itself", async () => {
  const made = documents(await template("--namespace=selvedge"));
  expect(found(made, "Namespace")).toBeUndefined();
  expect(found(documents(await template()), "Namespace")?.metadata.name).toBe("selvedge");
  expect(found(made, "Role")?.metadata.namespace).toBe("selvedge");
});

const RELEASE = "--namespace=kube-system";
const released = (...argv: readonly string[]) => helm(...argv, RELEASE, `--kubeconfig=${kubernetes.files.admin}`);
const get = async (...what: readonly string[]): Promise<string> =>
  kubernetes.kubectl(["get", ...what, "--ignore-not-found", RELEASE]);
const daemonSet = (path: string) => get("daemonset", "selvedge", `--output=jsonpath=${path}`);
const HASH = "{.spec.template.metadata.annotations.selvedge\\.dev/configuration}";
const configuration = () => get("configmap", "selvedge", "--output=jsonpath={.data}");
const columns = () => get("crd", "reservations.selvedge.dev", "--output=jsonpath={..additionalPrinterColumns[*].name}");

const RESERVATION = {
  apiVersion: "selvedge.dev/v1alpha1",
  kind: "Reservation",
  metadata: { name: "kept" },
  spec: { pool: "default", name: "shop/db-0", addresses: ["10.66.0.9"], origin: "operator" },
};

live(
  "a release is installed, changed, taken back, and taken away without what nodes said",
  async () => {
    const told = await released("install", "selvedge", CHART, "--wait", "--timeout=60s");
    expect(told).toContain("kubectl --namespace kube-system exec daemonset/selvedge -- selvedgectl status");
    const first = [await daemonSet(HASH), await configuration(), await columns()];
    expect(first[1]).toContain("10.66.0.0/16");
    await served(kubernetes, "reservations.selvedge.dev");
    await kubernetes.kubectl(["apply", "--filename=-"], RESERVATION);

    // The next version: its definitions are changed with it, and what it says of the configuration starts the daemons anew.
    const next = join(directory, "next");
    cpSync(CHART, next, { recursive: true });
    const column = "- { name: MAC, type: string, jsonPath: .spec.mac }";
    const store = read("store.yaml");
    expect(store).toContain(column);
    writeFileSync(join(next, "store.yaml"), store.replace(column, column.replace("name: MAC", "name: Hardware")));
    await released("upgrade", "selvedge", next, "--set=configuration.logLevel=debug", "--wait", "--timeout=60s");
    expect(await configuration()).toContain("logLevel: debug");
    expect(await daemonSet(HASH)).not.toBe(first[0]);
    expect(await columns()).toBe(first[2]?.replace("MAC", "Hardware"));

    await released("rollback", "selvedge", "1", "--wait", "--timeout=60s");
    expect([await daemonSet(HASH), await configuration(), await columns()]).toEqual(first);

    const leaves = ["--reset-then-reuse-values", "--set=uninstall=true"];
    const how = await released("upgrade", "selvedge", CHART, ...leaves, "--wait", "--timeout=60s");
    expect(how).toContain("helm uninstall selvedge --namespace kube-system");
    expect(await daemonSet("{.spec.template.spec.initContainers[*].command}")).toBe(
      '["/opt/selvedge/install-node.sh","uninstall"]',
    );
    expect(await daemonSet("{.spec.template.spec.containers[*].name}")).toBe("done");

    await released("uninstall", "selvedge", "--wait", "--timeout=60s");
    for (const what of ["daemonset", "configmap", "serviceaccount", "clusterrole", "clusterrolebinding"])
      expect([what, await get(what, "selvedge", "--output=name")]).toEqual([what, ""]);
    expect(await get("namespace", "selvedge", "--output=name")).toBe("");
    expect(await get("reservations.selvedge.dev", "--output=name")).toBe("reservation.selvedge.dev/kept\n");

    await released("install", "selvedge", CHART, "--wait", "--timeout=60s");
    expect([await daemonSet(HASH), await configuration(), await columns()]).toEqual(first);
    await released("uninstall", "selvedge", "--wait", "--timeout=60s");
  },
  300_000,
);

live(
  "what was applied as plain manifests becomes a release",
  async () => {
    const applied = await kubernetes.kubectl(["apply", `--kustomize=${CHART}`]);
    expect(applied).toContain("daemonset.apps/selvedge");
    const uid = await daemonSet("{.metadata.uid}");
    await released("install", "selvedge", CHART, "--take-ownership", "--force-conflicts", "--wait", "--timeout=60s");
    expect(await daemonSet("{.metadata.uid}")).toBe(uid);
    expect(await daemonSet("{.metadata.generation}")).toBe("1");
    await released("uninstall", "selvedge", "--wait", "--timeout=60s");
    expect(await get("daemonset", "selvedge", "--output=name")).toBe("");
  },
  120_000,
);

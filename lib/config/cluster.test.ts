import { expect, test } from "@jest/globals";
import { storeText } from "./cluster.ts";
import { parseConfig } from "./config.ts";
import { unplaced } from "./refusal.ts";

const etcd = (settings: string) => `cluster: {store: {etcd: {${settings}}}}`;

test("without the section the node is alone", () => expect("cluster" in parseConfig("")).toBe(false));

test("endpoints become canonical, the rest has defaults", () => {
  const { cluster } = parseConfig(
    etcd('endpoints: [http://Etcd-1, "http://[2001:DB8:0::5]:80/", http://192.0.2.1:2380]'),
  );
  expect(cluster).toEqual({
    graceSeconds: 600,
    egress: [],
    store: {
      etcd: {
        endpoints: ["http://etcd-1:2379", "http://[2001:db8::5]:80", "http://192.0.2.1:2380"],
        prefix: "/selvedge/v1/",
        livenessSeconds: 15,
      },
    },
    node: { addresses: [] },
    probe: { port: 4_796, everyMs: 1_000, lost: 5, decides: false },
    way: "auto",
    encrypt: false,
    flowOffload: false,
    vxlan: { vni: 4_096, port: 4_789 },
    gre: { key: 4_096 },
    wireguard: { port: 51_830, rotateHours: 168, leadSeconds: 60 },
  });
});

test("a node says who it is and how it is looked for", () => {
  const { cluster } = parseConfig(
    'cluster: {store: {etcd: {endpoints: [http://a]}}, node: {name: alpha, addresses: ["2001:DB8::1"]}, probe: {everyMs: 300, lost: 3, decides: true}}',
  );
  expect(cluster?.node).toEqual({ name: "alpha", addresses: ["2001:db8::1"] });
  expect(cluster?.probe).toEqual({ port: 4_796, everyMs: 300, lost: 3, decides: true });
});

test("a dead node is found out fast by one word", () => {
  const { cluster } = parseConfig("cluster: {store: {etcd: {endpoints: [http://a]}}, probe: fast}");
  expect(cluster?.probe).toEqual({ port: 4_796, everyMs: 100, lost: 5, decides: true });
  expect(unplaced("cluster: {store: {etcd: {endpoints: [http://a]}}, probe: quick}")).toEqual([
    'cluster.probe: "quick" is not "fast", or an object such as {everyMs: 300, lost: 3, decides: true}',
  ]);
});

test("everything that etcd asks for can be said", () => {
  const { cluster } = parseConfig(
    etcd(
      "endpoints: [https://a], ca: /ca, certificate: /c, key: /k, serverName: etcd, user: u, passwordFile: /p, prefix: /two/, livenessSeconds: 30",
    ),
  );
  expect(cluster?.store.etcd).toEqual({
    endpoints: ["https://a:2379"],
    ca: "/ca",
    certificate: "/c",
    key: "/k",
    serverName: "etcd",
    user: "u",
    passwordFile: "/p",
    prefix: "/two/",
    livenessSeconds: 30,
  });
});

test("the API server is asked as the pod's service account, unless it is said otherwise", () => {
  const store = (settings: string) => parseConfig(`cluster: {store: {kubernetes: {${settings}}}}`).cluster?.store;
  expect(store("")).toEqual({ kubernetes: { namespace: "selvedge", livenessSeconds: 30 } });
  expect(store("kubeconfig: /k, namespace: net-1, livenessSeconds: 5")).toEqual({
    kubernetes: { kubeconfig: "/k", namespace: "net-1", livenessSeconds: 5 },
  });
});

const PLACES: [store: string, place: string][] = [
  ["etcd: {endpoints: [http://a]}", "etcd at http://a:2379"],
  ["etcd: {endpoints: [http://a, http://b, http://c]}", "etcd at http://a:2379 (and 2 more)"],
  ["kubernetes: {}", "the API server of Kubernetes, with Leases in namespace selvedge"],
];
test.each(PLACES)("%s is told as %s", (store, place) => {
  const { cluster } = parseConfig(`cluster: {store: {${store}}}`);
  expect(cluster && storeText(cluster.store)).toBe(place);
});

const STORES: [store: string, complaints: string[]][] = [
  ["{}", ["cluster.store: needs `etcd` or `kubernetes`"]],
  [
    "{etcd: {endpoints: [http://a]}, kubernetes: {}}",
    ["cluster.store.kubernetes: is not possible together with `etcd`: the nodes meet in one place"],
  ],
  ["{kubernetes: yes}", ['cluster.store.kubernetes: "yes" is not an object such as {namespace: selvedge}, or {}']],
  ["{kubernetes: {kubeconfig: k}}", ['cluster.store.kubernetes.kubeconfig: "k" is not an absolute path']],
  [
    "{kubernetes: {namespace: Kube_System}}",
    ['cluster.store.kubernetes.namespace: "Kube_System" is not the name of a namespace such as "selvedge"'],
  ],
  [
    "{kubernetes: {livenessSeconds: 2}}",
    ["cluster.store.kubernetes.livenessSeconds: 2 is not a whole number from 3 to 600"],
  ],
  [
    "{kubernets: {}}",
    [
      "cluster.store: needs `etcd` or `kubernetes`",
      'cluster.store.kubernets: unknown setting; did you mean "kubernetes"?',
    ],
  ],
];
test.each(STORES)("a store that is %s", (store, expected) =>
  expect(unplaced(`cluster: {store: ${store}}`)).toEqual(expected),
);

const complaints = (text: string) => unplaced(text).map((line) => line.replace(/^cluster\.store\.etcd\.?/, ""));

const NO_ENDPOINT = 'is not an endpoint such as "https://192.0.2.10:2379" or "https://[2001:db8::10]:2379"';
const REFUSED: [settings: string, complaints: string[]][] = [
  ["prefix: /a/", ["endpoints: is missing; it must be a list of endpoints"]],
  ["endpoints: []", ["endpoints: [] is not a list of at least one endpoint"]],
  ["endpoints: [192.0.2.1:2379]", [`endpoints[0]: "192.0.2.1:2379" ${NO_ENDPOINT}`]],
  ["endpoints: [https://a/v3]", [`endpoints[0]: "https://a/v3" ${NO_ENDPOINT}`]],
  ["endpoints: [https://u:p@a]", [`endpoints[0]: "https://(not shown)@a" ${NO_ENDPOINT}`]],
  ["endpoints: [5]", [`endpoints[0]: 5 ${NO_ENDPOINT}`]],
  ["endpoints: [https://a, http://b]", ["endpoints[1]: is http while others are https; use one of them for all"]],
  ["endpoints: [http://b], ca: /ca", ["ca: is for https, and the endpoints are http"]],
  ["endpoints: [https://a], key: /k", ["key: needs `certificate` beside it"]],
  ["endpoints: [https://a], user: u", ["user: needs `passwordFile` beside it"]],
  ["endpoints: [https://a], prefix: selvedge", ['prefix: "selvedge" is not a prefix of keys such as "/selvedge/v1/"']],
  ["endpoints: [https://a], livenessSeconds: 1", ["livenessSeconds: 1 is not a whole number from 3 to 600"]],
  ["endpoints: [https://a], passwordfile: x", ['passwordfile: unknown setting; did you mean "passwordFile"?']],
];
test.each(REFUSED)("%s", (settings, expected) => expect(complaints(etcd(settings))).toEqual(expected));

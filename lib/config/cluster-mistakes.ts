/** What must agree within the settings of the cluster's store. */
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import { listAt } from "./overlaps.ts";

const STORE = ["cluster", "store"];
const ETCD = [...STORE, "etcd"];
const KUBERNETES = [...STORE, "kubernetes"];
const TLS = ["ca", "certificate", "key", "serverName"];
const TOGETHER = [
  ["certificate", "key"],
  ["key", "certificate"],
  ["user", "passwordFile"],
  ["passwordFile", "user"],
] as const;

export function clusterMistakes(root: unknown): Complaint[] {
  const etcd = lookUp(root, ETCD);
  const given = (key: string) => lookUp(etcd, [key]) !== undefined;
  const endpoints = listAt(etcd, "endpoints");
  const plain = endpoints.findIndex((url) => typeof url === "string" && url.startsWith("http:"));
  const encrypted = endpoints.some((url) => typeof url === "string" && url.startsWith("https:"));
  return [
    ...oneOfTwo(root),
    ...TOGETHER.flatMap(([has, needs]) =>
      given(has) && !given(needs) ? [complaint([...ETCD, has], `needs \`${needs}\` beside it`)] : [],
    ),
    ...(plain >= 0 && encrypted
      ? [complaint([...ETCD, "endpoints", plain], "is http while others are https; use one of them for all")]
      : []),
    ...(plain >= 0 && !encrypted
      ? TLS.filter(given).map((key) => complaint([...ETCD, key], "is for https, and the endpoints are http"))
      : []),
  ];
}

function oneOfTwo(root: unknown): Complaint[] {
  const [store, etcd, kubernetes] = [STORE, ETCD, KUBERNETES].map((path) => lookUp(root, path));
  if (etcd !== undefined && kubernetes !== undefined)
    return [complaint(KUBERNETES, "is not possible together with `etcd`: the nodes meet in one place")];
  const isObject = typeof store === "object" && store !== null && !Array.isArray(store);
  return isObject && etcd === undefined && kubernetes === undefined
    ? [complaint(STORE, "needs `etcd` or `kubernetes`")]
    : [];
}

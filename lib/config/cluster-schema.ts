/** The part of the configuration's shape that is about the cluster that the node is in. */
import { z } from "zod";
import { SelvedgeError } from "#lib/errors.ts";
import { ways } from "./cluster-ways.ts";
import { egress } from "./egress-schema.ts";
import {
  absolutePath,
  flag,
  fullListOf,
  integer,
  ip,
  leaf,
  listOf,
  name,
  ofSecret,
  read,
  setting,
  words,
} from "./leaves.ts";

/** As etcdctl writes it; the port is etcd's for clients (IANA: etcd-client). Canonical: scheme, host and port, no more. */
function endpointUrl(value: unknown): string {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  const isBare =
    url !== undefined && ["", "/"].includes(url.pathname) && `${url.username}${url.search}${url.hash}` === "";
  if (!isBare || !["http:", "https:"].includes(url.protocol) || url.hostname === "")
    throw new SelvedgeError({ kind: "config-invalid", field: "endpoint" }, `${JSON.stringify(value)} is no endpoint`);
  // URL leaves out the ports of HTTP itself, which are then those that were written.
  const written = /:(\d+)\/?$/.exec(String(value))?.[1];
  return `${url.protocol}//${url.hostname}:${url.port || (written === undefined ? 2_379 : Number(written))}`;
}

const endpoint = read('an endpoint such as "https://192.0.2.10:2379" or "https://[2001:db8::10]:2379"', endpointUrl);

/** A path of segments as `Shared` has them, between slashes. */
const keyPrefix = leaf<string>(
  'a prefix of keys such as "/selvedge/v1/"',
  (v) => typeof v === "string" && /^(\/[A-Za-z0-9._:-]+)+\/$/.test(v),
);

const etcd = z.strictObject(
  {
    endpoints: setting(
      fullListOf(endpoint, "a list of endpoints", "endpoint"),
      "Members of the etcd cluster, any number of them, all http or all https.",
    ),
    ca: setting(
      absolutePath.optional(),
      "PEM file with the authorities that sign the members' certificates.",
      "the machine's",
    ),
    certificate: setting(absolutePath.optional(), "PEM file with this node's certificate; needs `key`."),
    key: setting(ofSecret(absolutePath).optional(), "PEM file with its key."),
    serverName: setting(words.optional(), "Name in the members' certificates.", "the host of the endpoint"),
    user: setting(words.optional(), "User of etcd's own authentication; needs `passwordFile`."),
    passwordFile: setting(ofSecret(absolutePath).optional(), "File whose first line is the password."),
    prefix: setting(keyPrefix.default("/selvedge/v1/"), "Of every key that Selvedge uses; the same on all nodes."),
    livenessSeconds: setting(
      integer(3, 600).default(15),
      "A node that etcd has not heard of for so long counts as silent.",
    ),
  },
  { error: "an object such as {endpoints: [https://192.0.2.10:2379]}" },
);

/** As long as a name of a namespace may be (RFC 1123, "label"). */
const namespace = leaf<string>(
  'the name of a namespace such as "selvedge"',
  (v) => typeof v === "string" && v.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(v),
);

const kubernetes = z.strictObject(
  {
    kubeconfig: setting(
      absolutePath.optional(),
      "File that says where the API server is and who asks.",
      "what `kubernetes` says; without it the service account of the pod that the daemon runs in",
    ),
    namespace: setting(
      namespace.default("selvedge"),
      "Where the nodes' Leases are; the same on all nodes. Nobody else's should be there.",
    ),
    livenessSeconds: setting(
      integer(3, 600).default(30),
      "A node that the API server has not heard of for so long counts as silent.",
    ),
  },
  { error: "an object such as {namespace: selvedge}, or {}" },
);

const store = z.strictObject(
  {
    etcd: setting(etcd.optional(), "etcd v3.4 or newer.", "either this or `kubernetes`"),
    kubernetes: setting(
      kubernetes.optional(),
      "The API server of Kubernetes 1.31 or newer, with `install/kubernetes/store.yaml` applied.",
      "either this or `etcd`",
    ),
  },
  { error: "an object such as {etcd: {endpoints: [https://192.0.2.10:2379]}} or {kubernetes: {}}" },
);

const node = z
  .strictObject(
    {
      name: setting(
        name.optional(),
        "What the other nodes know this one by; no two may have the same.",
        "that in `SELVEDGE_NODE` of the environment, or the machine's host name",
      ),
      addresses: setting(
        listOf(ip, "a list of addresses").default([]),
        "Its addresses that the other nodes reach it by, the preferred of each family first.",
        "those of the default route's link",
      ),
    },
    { error: "an object such as {name: alpha, addresses: [192.0.2.10]}" },
  )
  .prefault({});

/** What `probe: fast` is short for: as soon as BFD with the usual three times 300 ms (RFC 5880 section 6.8.4). */
const FAST = { everyMs: 100, lost: 5, decides: true };

const probe = z
  .preprocess(
    (value) => (value === "fast" ? FAST : value),
    z
      .strictObject(
        {
          port: setting(
            integer(1, 65_535).default(4_796),
            "UDP port of the echo; the same on all nodes is not needed.",
          ),
          everyMs: setting(integer(50, 60_000).default(1_000), "How often each other node is asked."),
          lost: setting(
            integer(2, 100).default(5),
            "A node that has not answered so many times in a row does not answer.",
          ),
          decides: setting(
            flag.default(false),
            "Routes to a node that does not answer are withdrawn at once; without it only when the store has not heard of it either.",
          ),
        },
        { error: '"fast", or an object such as {everyMs: 300, lost: 3, decides: true}' },
      )
      .meta({ type: '"fast", or an object' }),
  )
  .prefault({});

export const cluster = z.strictObject(
  {
    store: setting(store, "Where the nodes meet. Running pods, ADD and DEL go on while it is away."),
    node,
    probe: setting(
      probe,
      "How nodes find out whether they reach each other. `fast` is short for `{everyMs: 100, lost: 5, decides: true}`.",
      "each setting's own",
    ),
    graceSeconds: setting(
      integer(10, 86_400).default(600),
      "A node that was removed from the cluster, or replaced by another of its name, and that the store has not heard of for so long is gone for good: other nodes take its blocks and its fixed addresses.",
    ),
    egress: setting(
      listOf(egress, "a list of egress addresses").default([]),
      "Addresses of their own by which chosen pods leave the cluster, whichever node they are on; the same on all nodes.",
    ),
    ...ways,
  },
  { error: "an object such as {store: {etcd: {endpoints: [https://192.0.2.10:2379]}}}" },
);

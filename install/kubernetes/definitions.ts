/**
 * Writes `resources.yaml`: what it takes that tenants, pools, networks and routers are objects of the API server. Their schemas are
 * those of the daemon's configuration file. Run by `npm run definitions`; a test generates again and expects no difference.
 */
import { writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { RESOURCE_KINDS, type ResourceKind } from "#lib/config/resource-kinds.ts";
import { structure } from "#lib/config/structure.ts";
import { GROUP, VERSION } from "#lib/k8s/api/resource.ts";

const condition = (type: string, field: "status" | "reason" | "message"): string =>
  `.status.conditions[?(@.type=="${type}")].${field}`;

/** What people call them, and what kubectl shows of them. */
const SHOWN = {
  Tenant: {
    plural: "tenants",
    shortNames: ["svt"],
    description: "Networks with addresses of their own. It counts on every node whose file has no tenant of its name.",
    columns: [
      { name: "Egress", type: "boolean", jsonPath: ".spec.egress" },
      { name: "Peers", type: "string", jsonPath: ".spec.peers" },
      { name: "Services", type: "string", jsonPath: ".spec.services[*].name", priority: 1 },
      { name: "Ready", type: "string", jsonPath: condition("Ready", "status") },
    ],
  },
  AddressPool: {
    plural: "addresspools",
    shortNames: ["svp"],
    description: "Addresses that pods get. It counts on every node whose file has no pool of its name.",
    columns: [
      { name: "Ranges", type: "string", jsonPath: ".spec.ranges" },
      { name: "Exclude", type: "string", jsonPath: ".spec.exclude", priority: 1 },
      { name: "In use", type: "string", jsonPath: condition("InUse", "status") },
      { name: "Use", type: "string", jsonPath: condition("InUse", "message"), priority: 1 },
    ],
  },
  Network: {
    plural: "networks",
    shortNames: ["svnet"],
    description: "What pods attach to. It counts on every node whose file has no network of its name.",
    columns: [
      { name: "Attachment", type: "string", jsonPath: ".spec.attachment" },
      { name: "Pool", type: "string", jsonPath: ".spec.pool" },
      { name: "Pools", type: "string", jsonPath: ".spec.pools", priority: 1 },
      { name: "Tenant", type: "string", jsonPath: ".spec.tenant", priority: 1 },
    ],
  },
  Router: {
    plural: "routers",
    shortNames: ["svr"],
    description: "A VyOS router that follows the cluster. It counts where the nodes' file has no router of its name.",
    columns: [
      { name: "URL", type: "string", jsonPath: ".spec.url" },
      { name: "Ready", type: "string", jsonPath: condition("Ready", "status") },
      { name: "Phase", type: "string", jsonPath: condition("Ready", "reason") },
      { name: "Version", type: "string", jsonPath: ".status.version" },
      { name: "Why", type: "string", jsonPath: condition("Ready", "message"), priority: 1 },
      { name: "Writer", type: "string", jsonPath: ".status.writer", priority: 1 },
      { name: "Pushed", type: "date", jsonPath: ".status.lastPush.time", priority: 1 },
    ],
  },
} as const;

/** meta/v1 Condition. */
const CONDITION = {
  type: "object",
  required: ["type", "status", "lastTransitionTime", "reason", "message"],
  properties: {
    type: { type: "string", maxLength: 316 },
    status: { type: "string", enum: ["True", "False", "Unknown"] },
    observedGeneration: { type: "integer", format: "int64", minimum: 0 },
    lastTransitionTime: { type: "string", format: "date-time" },
    reason: { type: "string", minLength: 1, maxLength: 1_024 },
    message: { type: "string", maxLength: 32_768 },
  },
};

const STATUS = {
  type: "object",
  description: "Whether the nodes take it, as one of them says for all.",
  properties: {
    observedGeneration: { type: "integer", format: "int64", minimum: 0 },
    conditions: {
      type: "array",
      maxItems: 8,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
      items: CONDITION,
    },
  },
};

/** Of the kinds of which more is said. */
const MORE_STATUS: { readonly [Kind in ResourceKind["kind"]]?: object } = {
  Router: {
    version: { type: "string", maxLength: 253, description: "Of VyOS." },
    writer: { type: "string", maxLength: 253, description: "Node that writes to it." },
    lastPush: {
      type: "object",
      description: "The newest push, as of some time within the last minute.",
      required: ["revision", "time", "result"],
      properties: {
        revision: {
          type: "integer",
          format: "int64",
          minimum: 0,
          description: "As `selvedgectl edge history` has it.",
        },
        time: { type: "string", format: "date-time" },
        result: { type: "string", maxLength: 64, description: "`done`, or how else it ended." },
      },
    },
  },
};

const statusOf = (kind: ResourceKind["kind"]): object => ({
  ...STATUS,
  properties: { ...STATUS.properties, ...MORE_STATUS[kind] },
});

const COLUMNS = [
  { name: "Accepted", type: "string", jsonPath: condition("Accepted", "status") },
  { name: "Message", type: "string", jsonPath: condition("Accepted", "message"), priority: 1 },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
];

function definition({ kind, schema, most, kept, rules }: ResourceKind): object {
  const { plural, shortNames, description, columns } = SHOWN[kind];
  const stays = kept.map((key) => ({
    rule: `has(self.${key}) == has(oldSelf.${key}) && (!has(self.${key}) || self.${key} == oldSelf.${key})`,
    message: `${key} stays as it is: pods have been attached with it. Make another ${kind}.`,
  }));
  const spec = structure(schema, kind, most);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Cluster",
      names: { kind, plural, singular: kind.toLowerCase(), shortNames, categories: ["selvedge"] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [...columns, ...COLUMNS],
          schema: {
            openAPIV3Schema: {
              type: "object",
              description,
              required: ["spec"],
              "x-kubernetes-validations": [
                { rule: "self.metadata.name.size() <= 63", message: "Its name has 63 characters at most." },
              ],
              properties: {
                metadata: { type: "object" },
                spec: { ...spec, "x-kubernetes-validations": [...rules, ...stays] },
                status: statusOf(kind),
              },
            },
          },
        },
      ],
    },
  };
}

const plurals = Object.values(SHOWN).map(({ plural }) => plural);
const ACCOUNT = { kind: "ServiceAccount", name: "selvedge", namespace: "kube-system" };
const NAME = "selvedge-resources";
const RBAC = "rbac.authorization.k8s.io";
const role = (kind: "Role" | "ClusterRole", namespace: object, rules: readonly object[]) => [
  { apiVersion: `${RBAC}/v1`, kind, metadata: { name: NAME, ...namespace }, rules },
  {
    apiVersion: `${RBAC}/v1`,
    kind: `${kind}Binding`,
    metadata: { name: NAME, ...namespace },
    roleRef: { apiGroup: RBAC, kind, name: NAME },
    subjects: [ACCOUNT],
  },
];
const RIGHTS = [
  ...role("ClusterRole", {}, [
    { apiGroups: [GROUP], resources: plurals, verbs: ["list", "watch"] },
    { apiGroups: [GROUP], resources: plurals.map((plural) => `${plural}/status`), verbs: ["patch"] },
  ]),
  // Events of what is in no namespace are in this one.
  ...role("Role", { namespace: "default" }, [
    { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create"] },
  ]),
];

const HEAD = `# Generated by install/kubernetes/definitions.ts from the schema of the daemon's configuration; do not edit.
# What it takes that tenants, pools, networks and routers are objects of the API server (kubernetes.resources): their
# definitions, and the rights to read them and to say what became of them. Who deletes a definition deletes all objects of its kind.
`;

export const definitions = (): string =>
  HEAD +
  [...RIGHTS, ...RESOURCE_KINDS.map(definition)]
    .map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join("---\n");

export const FILE = new URL("resources.yaml", import.meta.url);

if (import.meta.main) writeFileSync(FILE, definitions());

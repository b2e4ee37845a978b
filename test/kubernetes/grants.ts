/** The rights that manifests give to the daemon's service account. */
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

export interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
}

/** To do one thing with one resource. */
export interface Right {
  readonly verb: string;
  /** "": the core's. */
  readonly group: string;
  /** `pods`, or a part of each: `pods/status`. */
  readonly resource: string;
  /** Undefined: everywhere. */
  readonly namespace: string | undefined;
  /** Undefined: of whatever name. */
  readonly name: string | undefined;
}

export const rolesIn = (...files: readonly string[]): Role[] =>
  files
    .flatMap((file) => parseAllDocuments(readFileSync(file, "utf8")).map((each) => each.toJS() as Role))
    .filter(({ kind }) => kind === "ClusterRole" || kind === "Role");

export const rightsOf = ({ metadata: { namespace }, rules }: Role): Right[] =>
  rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [undefined] }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) => resourceNames.map((name) => ({ verb, group, resource, namespace, name }))),
      ),
    ),
  );

/** The role without one of its rights. */
export const without = (role: Role, { verb, group, resource }: Right): Role => ({
  ...role,
  rules: role.rules.flatMap((rule) => {
    const isThere = rule.apiGroups.includes(group) && rule.resources.includes(resource);
    if (!isThere) return [rule];
    const others = rule.resources.filter((each) => each !== resource);
    const verbs = rule.verbs.filter((each) => each !== verb);
    return [
      ...(others.length === 0 ? [] : [{ ...rule, resources: others }]),
      ...(verbs.length === 0 ? [] : [{ ...rule, resources: [resource], verbs }]),
    ];
  }),
});

/** `get secrets in kube-system`, `patch networks.selvedge.dev/status` */
export function rightInWords({ verb, group, resource, namespace }: Right): string {
  const [plural, part] = resource.split("/");
  const whole = group === "" ? plural : `${plural}.${group}`;
  return `${verb} ${whole}${part === undefined ? "" : `/${part}`}${namespace === undefined ? "" : ` in ${namespace}`}`;
}

/** Of an API server: where it has a role. */
export function pathOf({ kind, metadata: { name, namespace } }: Role): string {
  const group = "/apis/rbac.authorization.k8s.io/v1";
  return kind === "Role" ? `${group}/namespaces/${namespace}/roles/${name}` : `${group}/clusterroles/${name}`;
}

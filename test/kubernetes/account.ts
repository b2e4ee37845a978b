/** A service account, and a role of its name that it has in the whole cluster. */

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export function account(of: { readonly namespace: string; readonly name: string }, rules: readonly Rule[]): object[] {
  const { name } = of;
  const group = "rbac.authorization.k8s.io";
  const role = { apiVersion: `${group}/v1`, metadata: { name } };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: of },
    { ...role, kind: "ClusterRole", rules },
    {
      ...role,
      kind: "ClusterRoleBinding",
      roleRef: { apiGroup: group, kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", ...of }],
    },
  ];
}

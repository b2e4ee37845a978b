/** The API server as a store: what install/kubernetes/store.yaml says, in force. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { ControlPlane } from "./control-plane.ts";

export const STORE = join(import.meta.dirname, "../../install/kubernetes/store.yaml");

export interface Definition {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly group: string; readonly names: { readonly kind: string; readonly plural: string } };
}

export interface Role {
  readonly kind: string;
  readonly rules: readonly { readonly verbs: readonly string[] }[];
}

const documents = parseAllDocuments(readFileSync(STORE, "utf8")).map((each): unknown => each.toJS());
const ofKind = <T>(kind: string): readonly T[] =>
  documents.filter((each) => (each as { kind: string }).kind === kind) as T[];

export const DEFINED: readonly Definition[] = ofKind("CustomResourceDefinition");
/** To what is defined. */
export const ROLE: Role = ofKind<Role>("ClusterRole")[0] ?? { kind: "", rules: [] };

/** Also waits until every kind is served. */
export async function applyStore({ kubectl }: Pick<ControlPlane, "kubectl">): Promise<void> {
  await kubectl(["apply", `--filename=${STORE}`]);
  const names = DEFINED.map(({ metadata }) => `customresourcedefinition/${metadata.name}`);
  await kubectl(["wait", "--for=condition=Established", ...names]);
}

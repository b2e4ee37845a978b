/** The API server as a store: what install/kubernetes/store.yaml says, in force. */
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import type { ControlPlane } from "./control-plane.ts";
import { STORE } from "./manifests.ts";

interface Definition {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly group: string; readonly names: { readonly kind: string; readonly plural: string } };
}

export interface Role {
  readonly kind: string;
  readonly rules: readonly { readonly verbs: readonly string[] }[];
}

const DEFINITION = "CustomResourceDefinition";
const documents = parseAllDocuments(readFileSync(STORE, "utf8")).map((each) => each.toJS() as Definition);
const ofKind = <T>(wanted: string): readonly T[] => documents.filter(({ kind }) => kind === wanted) as unknown as T[];

export const DEFINED: readonly Definition[] = ofKind(DEFINITION);
/** To what is defined. */
export const ROLE: Role = ofKind<Role>("ClusterRole")[0] ?? { kind: "", rules: [] };

/** Applies objects, and waits until every kind that is defined by them is served. */
export async function established(
  { kubectl }: Pick<ControlPlane, "kubectl">,
  ...objects: readonly Pick<Definition, "kind" | "metadata">[]
): Promise<void> {
  await kubectl(["apply", "--filename=-"], { apiVersion: "v1", kind: "List", items: objects });
  const defined = objects.filter(({ kind }) => kind === DEFINITION).map(({ metadata }) => `crd/${metadata.name}`);
  await kubectl(["wait", "--for=condition=Established", ...defined]);
}

export const applyStore = (kubernetes: Pick<ControlPlane, "kubectl">): Promise<void> =>
  established(kubernetes, ...documents);

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

export const DEFINED: readonly Definition[] = parseAllDocuments(readFileSync(STORE, "utf8"))
  .map((each) => each.toJS() as Definition)
  .filter(({ kind }) => kind === "CustomResourceDefinition");

/** Also waits until every kind is served. */
export async function applyStore({ kubectl }: Pick<ControlPlane, "kubectl">): Promise<void> {
  await kubectl(["apply", `--filename=${STORE}`]);
  const names = DEFINED.map(({ metadata }) => `customresourcedefinition/${metadata.name}`);
  await kubectl(["wait", "--for=condition=Established", ...names]);
}

/** The API server as a store: what install/kubernetes/store.yaml says, in force. */
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { eventually } from "../../conformance/program.ts";
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

/** Applies objects, and waits until kubectl finds every kind that is defined by them, which is later than they are established. */
export async function established(
  { kubectl }: Pick<ControlPlane, "kubectl">,
  ...objects: readonly Pick<Definition, "kind" | "metadata">[]
): Promise<void> {
  await kubectl(["apply", "--filename=-"], { apiVersion: "v1", kind: "List", items: objects });
  const kinds = objects.filter(({ kind }) => kind === DEFINITION).map(({ metadata }) => metadata.name);
  await served({ kubectl }, ...kinds);
}

/** @param kinds `reservations.selvedge.dev` */
export async function served({ kubectl }: Pick<ControlPlane, "kubectl">, ...kinds: readonly string[]): Promise<void> {
  const found = async () => {
    await kubectl(["get", kinds.join(","), "--all-namespaces", "--output=name"]);
    return true as const;
  };
  await eventually(`${kinds.join(", ")} are served`, found);
}

export const applyStore = (kubernetes: Pick<ControlPlane, "kubectl">): Promise<void> =>
  established(kubernetes, ...documents);

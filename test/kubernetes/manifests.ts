/** What an operator applies, as install/kubernetes has it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

const file = (name: string): string => join(import.meta.dirname, "../../install/kubernetes", name);
export const STORE = file("store.yaml");
export const SELVEDGE = file("selvedge.yaml");
export const UNINSTALL = file("uninstall.yaml");
/** Parts of the configuration as objects: what they are, and the rights to them. */
export const CONFIGURATION = file("resources.yaml");
/** The right to one Secret. */
export const ROUTER_SECRET = file("router-secret.yaml");

/** For `--filename=-`. */
export const whole = (): string => [STORE, SELVEDGE].map((each) => readFileSync(each, "utf8")).join("---\n");

/** Who the daemon is, and what it may, without the DaemonSet. */
export const serviceAccount = (): readonly object[] =>
  parseAllDocuments(readFileSync(SELVEDGE, "utf8"))
    .map((each) => each.toJS() as { readonly kind: string })
    .filter(({ kind }) => kind === "ServiceAccount" || kind.startsWith("ClusterRole"));

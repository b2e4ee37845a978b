/** What an operator applies, as install/kubernetes has it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const file = (name: string): string => join(import.meta.dirname, "../../install/kubernetes", name);
export const STORE = file("store.yaml");
export const SELVEDGE = file("selvedge.yaml");
export const UNINSTALL = file("uninstall.yaml");

/** For `--filename=-`. */
export const whole = (): string => [STORE, SELVEDGE].map((each) => readFileSync(each, "utf8")).join("---\n");

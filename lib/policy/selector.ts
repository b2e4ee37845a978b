/** Label selectors (meta/v1 LabelSelector): which sets of labels they hold for. */
import { type Found, fields, list, oneOf, refuse, text } from "#lib/parse.ts";
import { onlyFields } from "./fields.ts";
import { label, labelKey, labels } from "./labels.ts";
import type { Labels } from "./objects.ts";

type Requirement =
  | { readonly operator: "In" | "NotIn"; readonly key: string; readonly values: readonly string[] }
  | { readonly operator: "Exists" | "DoesNotExist"; readonly key: string };

export interface Selector {
  /** All must hold; none is everything. */
  readonly requirements: readonly Requirement[];
  /** The same for selectors that mean the same, as far as order and repetition go. */
  readonly text: string;
}

const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

/** An absent selector is read as an empty one: everything. @throws SelvedgeError config-invalid */
export function readSelector(found: Found): Selector {
  onlyFields(found, ["matchLabels", "matchExpressions"]);
  const at = fields(found);
  const equal = Object.entries(labels(at("matchLabels"))).map(
    ([key, value]): Requirement => ({ operator: "In", key, values: [value] }),
  );
  return selector([...equal, ...list(at("matchExpressions")).map(readRequirement)]);
}

function readRequirement(found: Found): Requirement {
  onlyFields(found, ["key", "operator", "values"]);
  const at = fields(found);
  const key = labelKey(at("key"));
  const operator = oneOf(at("operator"), OPERATORS);
  const values = list(at("values")).map(label);
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) refuse(at("values"), `at least one value, as operator ${operator} needs`);
    return { operator, key, values };
  }
  if (values.length > 0) refuse(at("values"), `absent, as operator ${operator} takes none`);
  return { operator, key };
}

function selector(requirements: readonly Requirement[]): Selector {
  const texts = requirements.map((r) =>
    "values" in r ? `${r.key} ${r.operator} ${[...new Set(r.values)].sort().join(",")}` : `${r.key} ${r.operator}`,
  );
  return { requirements, text: [...new Set(texts)].sort().join(" & ") };
}

/** Holds for all labels. */
export const EVERYTHING: Selector = selector([]);

export const selects = ({ requirements }: Selector, of: Labels): boolean => requirements.every((r) => holds(r, of));

/** `NotIn` holds also where the key is absent (apimachinery labels.Requirement.Matches). */
function holds(requirement: Requirement, of: Labels): boolean {
  const value = Object.hasOwn(of, requirement.key) ? of[requirement.key] : undefined;
  switch (requirement.operator) {
    case "In":
      return value !== undefined && requirement.values.includes(value);
    case "NotIn":
      return value === undefined || !requirement.values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

/** A name as the API server takes it for namespaces and pods (RFC 1123, subdomain). */
export function objectName(found: Found): string {
  const name = text(found);
  return name.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)
    ? name
    : refuse(found, "a name of lower-case letters, digits, - and .");
}

/** Settings as Kubernetes has them: the same schema as a structural one (kubernetes.io, "Specifying a structural schema"). */
import { z } from "zod";
import { inner, isOfFile, type Structure, structureOf } from "./leaves.ts";

/** Members of a list that is within another: what rules in CEL may cost is reckoned from the product. */
const MOST_WITHIN = 128;

/**
 * Without what only the configuration file has.
 * @param most members of its lists, where they do not say so themselves
 * @throws TypeError for a schema that Kubernetes could not have
 */
export function structure(schema: z.ZodType, path: string, most: number): Structure {
  const value = inner(schema);
  const known = structureOf(value);
  if (value instanceof z.ZodObject) {
    const members = Object.entries(value.shape as Record<string, z.ZodType>).filter(([, member]) => !isOfFile(member));
    return {
      type: "object",
      ...requiredOf(members),
      properties: Object.fromEntries(members.map(([key, member]) => [key, property(member, `${path}.${key}`, most)])),
      ...known,
    };
  }
  if (value instanceof z.ZodArray) {
    const items = structure(value.element as z.ZodType, `${path}[]`, Math.min(most, MOST_WITHIN));
    return { type: "array", maxItems: most, ...known, items };
  }
  if (known === undefined) throw new TypeError(`${path}: its leaf has no structure`);
  return known;
}

function property(schema: z.ZodType, path: string, most: number): Structure {
  const { meaning } = (schema.meta() ?? {}) as { readonly meaning?: string };
  return {
    ...(meaning === undefined ? {} : { description: meaning }),
    ...structure(schema, path, most),
    ...defaultOf(schema),
  };
}

const requiredOf = (members: readonly [string, z.ZodType][]): Structure => {
  const required = members.flatMap(([key, member]) => (member.safeParse(undefined).success ? [] : [key]));
  return required.length === 0 ? {} : { required };
};

/** Of what is one value, or of which every member has its default. An empty list is as good as none. */
function defaultOf(schema: z.ZodType): Structure {
  if (schema instanceof z.ZodPrefault) return { default: {} };
  if (!(schema instanceof z.ZodDefault)) return {};
  const value: unknown = schema.parse(undefined);
  return typeof value === "object" ? {} : { default: value };
}

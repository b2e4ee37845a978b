/** Settings as Kubernetes has them: the same schema as a structural one (kubernetes.io, "Specifying a structural schema"). */
import { z } from "zod";
import { inner, type Structure, structureOf } from "./leaves.ts";

/** What a rule in CEL may cost is reckoned from how long lists can be; those that no rule goes through say so. */
const MOST_MEMBERS = 64;

/** @param without members that have no counterpart. @throws TypeError for a schema that Kubernetes could not have */
export function structure(schema: z.ZodType, path: string, without: readonly string[] = []): Structure {
  const value = inner(schema);
  if (value instanceof z.ZodObject) {
    const members = Object.entries(value.shape as Record<string, z.ZodType>).filter(([key]) => !without.includes(key));
    return {
      type: "object",
      ...requiredOf(members),
      properties: Object.fromEntries(members.map(([key, member]) => [key, property(member, `${path}.${key}`)])),
    };
  }
  const known = structureOf(value);
  if (value instanceof z.ZodArray) {
    const items = structure(value.element as z.ZodType, `${path}[]`);
    return { type: "array", maxItems: MOST_MEMBERS, ...known, items };
  }
  if (known === undefined) throw new TypeError(`${path}: its leaf has no structure`);
  return known;
}

function property(schema: z.ZodType, path: string): Structure {
  const { meaning } = (schema.meta() ?? {}) as { readonly meaning?: string };
  return {
    ...(meaning === undefined ? {} : { description: meaning }),
    ...structure(schema, path),
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

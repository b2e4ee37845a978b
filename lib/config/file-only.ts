/** What an object of Kubernetes says that only the configuration file may say. */
import { z } from "zod";
import { lookUp } from "./complaint.ts";
import { inner, isOfFile } from "./leaves.ts";
import type { Path } from "./yaml.ts";

/** Places of such settings. @param value as it was written */
export function fileOnlyIn(schema: z.ZodType, value: unknown): Path[] {
  const own = inner(schema);
  if (own instanceof z.ZodArray) {
    if (!Array.isArray(value)) return [];
    return value.flatMap((each: unknown, i) => under(i, fileOnlyIn(own.element as z.ZodType, each)));
  }
  if (!(own instanceof z.ZodObject)) return [];
  return Object.entries(own.shape as Record<string, z.ZodType>).flatMap(([key, member]) => {
    const found = lookUp(value, [key]);
    if (found === undefined) return [];
    return under(key, isOfFile(member) ? [[]] : fileOnlyIn(member, found));
  });
}

const under = (step: string | number, paths: readonly Path[]): Path[] => paths.map((path) => [step, ...path]);

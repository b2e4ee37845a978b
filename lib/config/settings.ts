/** The settings as a table, read off the schema: the README's reference, and the words of "did you mean". */
import { z } from "zod";
import { inner, isOfSecret, typeOfObject } from "./leaves.ts";
import { SCHEMA } from "./schema.ts";
import type { Path } from "./yaml.ts";

export interface Setting {
  /** `reconcile.everySeconds`, `networks[].mtu` */
  readonly name: string;
  readonly type: string;
  readonly default: string;
  readonly meaning: string;
}

/** Every setting, in the order of the schema. */
export const SETTINGS: readonly Setting[] = below(SCHEMA, "");

/** The table as Markdown; the README holds it word for word. */
export function settingsTable(): string {
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const rows = SETTINGS.map((s) => `| \`${s.name}\` | ${cell(s.type)} | ${cell(s.default)} | ${cell(s.meaning)} |`);
  return ["| setting | value | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

/** The settings that an object of the configuration may hold. */
export function keysAt(path: Path): string[] {
  const object = inner(schemasTo(path).at(-1) ?? SCHEMA);
  return object instanceof z.ZodObject ? Object.keys(object.shape as object) : [];
}

/** Whether what stands there says where a secret is, or is a part of that. */
export const isSecretAt = (path: Path): boolean => schemasTo(path).some(isOfSecret);

/** What should stand there in one of Kubernetes' objects; undefined: the same as in the file. */
export const typeOfObjectAt = (path: Path): string | undefined => typeOfObject(schemasTo(path).at(-1) ?? SCHEMA);

/** Names of the settings that say where a secret is, wherever they are. */
export const SECRET_NAMES: ReadonlySet<string> = new Set(namesOfSecrets(SCHEMA));

/** From the whole to the place, as far as there are settings on the way. */
function schemasTo(path: Path): z.ZodType[] {
  const found: z.ZodType[] = [SCHEMA];
  for (const step of path) {
    const parent = inner(found.at(-1) ?? SCHEMA);
    if (parent instanceof z.ZodArray) found.push(parent.element as z.ZodType);
    else if (parent instanceof z.ZodObject) {
      const member = (parent.shape as Record<PropertyKey, z.ZodType>)[step];
      if (member !== undefined) found.push(member);
    }
  }
  return found;
}

function namesOfSecrets(schema: z.ZodType): string[] {
  const value = inner(schema);
  if (value instanceof z.ZodArray) return namesOfSecrets(value.element as z.ZodType);
  if (!(value instanceof z.ZodObject)) return [];
  return Object.entries(value.shape as Record<string, z.ZodType>).flatMap(([key, member]) =>
    isOfSecret(member) ? [key] : namesOfSecrets(member),
  );
}

function below(schema: z.ZodType, path: string): Setting[] {
  const object = inner(schema);
  if (!(object instanceof z.ZodObject)) return [];
  return Object.entries(object.shape as Record<string, z.ZodType>).flatMap(([key, member]) => {
    const name = path === "" ? key : `${path}.${key}`;
    const about = member.meta();
    const own = about?.meaning === undefined ? [] : [rowOf(name, member)];
    const value = inner(member);
    const nested = value instanceof z.ZodArray ? below(value.element as z.ZodType, `${name}[]`) : below(value, name);
    return [...own, ...nested];
  });
}

function rowOf(name: string, schema: z.ZodType): Setting {
  const about = schema.meta() as { type?: string; meaning: string; shown?: string };
  const type = about.type || "an object";
  return { name, type, default: about.shown ?? defaultOf(schema), meaning: about.meaning };
}

function defaultOf(schema: z.ZodType): string {
  if (schema instanceof z.ZodDefault) return `\`${JSON.stringify(schema.parse(undefined))}\``;
  return schema instanceof z.ZodOptional ? "" : "required";
}

/** What settings are made of: each is a zod schema that knows its type, its default and its meaning in words. */
import { z } from "zod";
import { address, mac, networkOf, prefix } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { isLinkName } from "#lib/parse.ts";

/** What the README says of a setting; `type` also completes the sentence "… is not". */
interface Meaning {
  readonly type: string;
  readonly meaning: string;
  /** Shown instead of the default's JSON. */
  readonly shown?: string;
  /** The same for Kubernetes, as far as its schemas can say it. */
  readonly structure?: Structure;
  /** It says where a secret is; who writes the secret itself there must not find it in the log. */
  readonly isOfSecret?: true;
  /** Only the configuration file has it: it is of one node, is read once, or speaks of files of the node. */
  readonly isOfFile?: true;
  /** In place of `type` for objects of Kubernetes, which name no files. */
  readonly typeOfObject?: string;
}

/** A schema as a CustomResourceDefinition has it (apiextensions.k8s.io/v1, JSONSchemaProps). */
export type Structure = Readonly<Record<string, unknown>>;

export const setting = <S extends z.ZodType>(schema: S, meaning: string, shown?: string): S => {
  const inherited = (z.globalRegistry.get(inner(schema)) ?? {}) as Partial<Meaning>;
  return schema.meta({
    type: inherited.type ?? "",
    meaning,
    ...(shown === undefined ? {} : { shown }),
    ...(inherited.isOfSecret ? { isOfSecret: true } : {}),
  });
};

/** The same schema, of which a mistake shows no value. */
export const ofSecret = <S extends z.ZodType>(schema: S): S => schema.meta({ ...schema.meta(), isOfSecret: true });

export const isOfSecret = (schema: z.ZodType): boolean => schema.meta()?.isOfSecret === true;

/** The same setting, which objects of Kubernetes do not have. */
export const ofFile = <S extends z.ZodType>(schema: S): S => schema.meta({ ...schema.meta(), isOfFile: true });

export const isOfFile = (schema: z.ZodType): boolean => schema.meta()?.isOfFile === true;

/** The same schema, of which Kubernetes knows something besides. */
export const withStructure = <S extends z.ZodType>(schema: S, structure: Structure): S =>
  schema.meta({ ...schema.meta(), structure });

/** The same schema; in one of Kubernetes' objects what it should be is said by other words. */
export const withTypeOfObject = <S extends z.ZodType>(schema: S, typeOfObject: string): S =>
  schema.meta({ ...schema.meta(), typeOfObject });

/** Undefined: it is said as in the file. */
export const typeOfObject = (schema: z.ZodType): string | undefined =>
  (z.globalRegistry.get(inner(schema)) as Partial<Meaning> | undefined)?.typeOfObject;

/** Of a leaf, or besides what is seen of a list or an object; undefined where Kubernetes knows no such thing. */
export const structureOf = (schema: z.ZodType): Structure | undefined =>
  (z.globalRegistry.get(inner(schema)) as Partial<Meaning> | undefined)?.structure;

/** The schema without what says that it may be left out. */
export function inner(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return inner(schema.unwrap() as z.ZodType);
  // An object that may be abbreviated: what is read first is turned into the object.
  if (schema instanceof z.ZodPipe && schema.out instanceof z.ZodObject) return schema.out;
  return schema;
}

/** A leaf: a test, and what the value should be when it fails. */
export const leaf = <T>(type: string, holds: (value: unknown) => boolean, structure?: Structure) =>
  z.custom<T>(holds, { error: type }).meta(meaningOf(type, structure));

const meaningOf = (type: string, structure: Structure | undefined) => ({
  type,
  ...(structure === undefined ? {} : { structure }),
});

/** A text of which a rule in CEL says more (kubernetes.io, "Common Expression Language in Kubernetes"). */
const ruled = (maxLength: number, rule: string, type: string): Structure => ({
  type: "string",
  maxLength,
  "x-kubernetes-validations": [{ rule, message: `It must be ${type}.` }],
});

export const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
export const integer = (min: number, max: number) =>
  leaf<number>(
    `a whole number from ${min} to ${max}`,
    (v) => typeof v === "number" && Number.isSafeInteger(v) && v >= min && v <= max,
    { type: "integer", format: "int64", minimum: min, maximum: max },
  );
export const oneOf = <T extends string>(...words: readonly T[]) =>
  leaf<T>(words.map((word) => `"${word}"`).join(" or "), (v) => words.some((word) => word === v), {
    type: "string",
    enum: [...words],
  });
export const flag = leaf<boolean>("true or false", (v) => typeof v === "boolean", { type: "boolean" });
export const words = leaf<string>("a text", isText, { type: "string", minLength: 1, maxLength: 253 });
export const absolutePath = leaf<string>("an absolute path", (v) => isText(v) && v.startsWith("/"));
export const isName = (v: unknown): v is string => typeof v === "string" && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(v);
export const name = leaf<string>("a name of letters, digits, dots, dashes and underscores", isName, {
  type: "string",
  maxLength: 63,
  pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$",
});
export const link = leaf<string>("a link name of 1 to 15 bytes", (v) => typeof v === "string" && isLinkName(v), {
  type: "string",
  maxLength: 15,
  pattern: "^[^/:\\s]+$",
});

/** A leaf that lib/address.ts reads, so that what comes out is canonical. */
export const read = <T>(type: string, parse: (value: unknown) => T, structure?: Structure) =>
  z
    .unknown()
    .transform((value, context) => {
      try {
        return parse(value);
      } catch (error) {
        if (!(error instanceof SelvedgeError)) throw error;
        context.addIssue({ code: "custom", message: type });
        return z.NEVER;
      }
    })
    .meta(meaningOf(type, structure));
const CIDR = 'a prefix such as "10.1.0.0/16" or "fd00::/64"';
/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`, and that with `/128` behind it. */
const ADDRESS_CHARACTERS = 45;
export const CIDR_CHARACTERS = 49;
export const cidrStructure = ruled(CIDR_CHARACTERS, "isCIDR(self)", CIDR);
export const cidr = read(CIDR, prefix, cidrStructure);
const NETWORK = 'a prefix such as "192.0.2.0/24"';
/** Without host bits. */
export const network = read(
  NETWORK,
  (value) => {
    const found = prefix(value);
    if (networkOf(found) !== found)
      throw new SelvedgeError({ kind: "config-invalid", field: "prefix" }, `${found} has host bits`);
    return found;
  },
  ruled(CIDR_CHARACTERS, "isCIDR(self) && cidr(self) == cidr(self).masked()", NETWORK),
);
const HOST_ADDRESS = 'an address with the length of its network such as "10.255.0.1/30"';
/** Of an interface: host bits are kept. */
export const hostAddress = read(HOST_ADDRESS, prefix, ruled(CIDR_CHARACTERS, "isCIDR(self)", HOST_ADDRESS));
/** A text that a pattern describes as a whole, in words that RE2 knows, too. @param type what it is, in words */
export const matching = (type: string, pattern: RegExp, maxLength: number) =>
  leaf<string>(type, (v) => isText(v) && v.length <= maxLength && pattern.test(v), {
    type: "string",
    maxLength,
    pattern: pattern.source,
  });
export const vrfName = matching("a VRF of the router", /^[A-Za-z][\w-]*$/, 15);
/** `bond0.4094` and the like; VyOS has none of so many characters. */
const MOST_OF_LINK = 64;
export const routerLink = matching("an interface of the router such as eth0", /^[A-Za-z][\w.-]*$/, MOST_OF_LINK);
export const hardware = read('a unicast MAC address such as "02:00:00:00:00:01"', mac);
const IP = 'an address such as "10.1.0.5" or "fd00::5"';
export const ipStructure = ruled(ADDRESS_CHARACTERS, "isIP(self)", IP);
export const ip = read(IP, address, ipStructure);

export const listOf = <S extends z.ZodType>(member: S, type: string) => z.array(member, { error: type }).meta({ type });
/** The same, and not empty. @param one what it has at least one of */
export const fullListOf = <S extends z.ZodType>(member: S, type: string, one: string) =>
  withStructure(
    listOf(member, type).refine((list) => list.length > 0, { error: `a list of at least one ${one}` }),
    { minItems: 1 },
  );
export const cidrs = listOf(cidr, "a list of prefixes");
export const poolNames = listOf(name, "a list of pools");
export const mtu = integer(576, 65_535);
/** Of TCP or UDP. */
export const port = integer(1, 65_535);
/** RFC 6793; the last is reserved. */
export const asNumber = integer(1, 4_294_967_294);

const texts = listOf(words, "a list of texts");
export const dns = z.strictObject(
  {
    nameservers: setting(texts.optional(), "Addresses of name servers."),
    domain: setting(words.optional(), "Local domain."),
    search: setting(texts.optional(), "Domains to search."),
    options: setting(texts.optional(), "Options of the resolver."),
  },
  { error: "an object such as {nameservers: [10.0.0.2]}" },
);

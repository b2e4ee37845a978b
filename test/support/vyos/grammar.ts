/**
 * The configuration grammar of a version of VyOS, from the data that lies beside the project: whether a router of that
 * version takes a path, and in which words it refuses one. For tests alone.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Version } from "#lib/edge/dialect.ts";
import { type Check, VALIDATORS } from "./validators.ts";

const top = dirname(dirname(dirname(import.meta.dirname)));
export const DATA = process.env.SELVEDGE_VYOS_DATA ?? join(top, "../shared/data/vyos");
export const grammarFile = (version: Version): string => join(DATA, `grammar-${version}.json.gz`);

type Kind = "n" | "t" | "l";
type RawNode = readonly [kind: Kind, props: number, children?: Readonly<Record<string, number>>];
interface Props {
  readonly valueless?: 1;
  readonly multi?: 1;
  readonly or?: readonly Check[];
  readonly and?: readonly (readonly Check[])[];
  readonly err?: string;
}

export interface Grammar {
  /** Undefined when the router takes it, else its words. */
  refusal(path: readonly string[], op: "set" | "delete"): string | undefined;
  /** Whether a path ends in the value of a leaf that has one value. */
  isSingle(path: readonly string[]): boolean;
  /** What a path ends in: a node, a tag node without its value, the value of one, a leaf without its value, a value, a leaf that has none. */
  kindAt(path: readonly string[]): "node" | "tags" | "tag" | "leaf" | "value" | "valueless" | undefined;
}

export function grammar(version: Version): Grammar {
  const { nodes, props, root } = JSON.parse(gunzipSync(readFileSync(grammarFile(version))).toString()) as {
    nodes: readonly RawNode[];
    props: readonly Props[];
    root: number;
  };
  const node = (index: number): RawNode => nodes[index] ?? ["n", 0];
  const propsOf = ([, index]: RawNode): Props => props[index] ?? {};
  const invalid = (path: readonly string[], op: string) =>
    `Configuration path: [${path.join(" ")}] is not valid\n\n${op} failed\n`;

  return {
    refusal(path, op) {
      const done = op === "set" ? "Set" : "Delete";
      let at = node(root);
      for (let i = 0; i < path.length; i++) {
        const next = at[2]?.[path[i] ?? ""];
        if (next === undefined) return invalid(path, done);
        at = node(next);
        const [kind] = at;
        const isLast = i === path.length - 1;
        if (kind === "n" || (kind === "l" && propsOf(at).valueless)) {
          if (kind === "l" && !isLast) return invalid(path, done);
          continue;
        }
        if (isLast)
          return op === "delete"
            ? undefined
            : `Configuration path: [${path.join(" ")}] requires a value\n${done} failed\n`;
        const value = path[++i] ?? "";
        const wrong = op === "set" ? valueRefusal(value, propsOf(at)) : undefined;
        if (wrong !== undefined) return wrong;
        if (kind === "l" && i < path.length - 1) return invalid(path, done);
      }
      return undefined;
    },
    isSingle: (path) => kindAt(path) === "value" && propsAt(path.slice(0, -1))?.multi !== 1,
    kindAt,
  };

  function walk(path: readonly string[]): { at: RawNode; ends: boolean } | undefined {
    let at = node(root);
    let ends = true;
    for (let i = 0; i < path.length; i++) {
      const next = at[2]?.[path[i] ?? ""];
      if (next === undefined) return undefined;
      at = node(next);
      const hasValue = at[0] === "t" || (at[0] === "l" && !propsOf(at).valueless);
      ends = !hasValue || i < path.length - 1;
      if (hasValue) i += 1;
    }
    return { at, ends };
  }
  function propsAt(path: readonly string[]): Props | undefined {
    const found = walk(path);
    return found && propsOf(found.at);
  }
  function kindAt(path: readonly string[]): ReturnType<Grammar["kindAt"]> {
    const found = walk(path);
    if (found === undefined) return undefined;
    const { at, ends } = found;
    if (at[0] === "n") return "node";
    if (at[0] === "t") return ends ? "tag" : "tags";
    if (propsOf(at).valueless) return "valueless";
    return ends ? "value" : "leaf";
  }
}

/** "a value is ok if any `or` check or any `and` group passes, or neither is given" (legend of the data). */
function valueRefusal(value: string, { or = [], and = [], err }: Props): string | undefined {
  const failed = "\n\n\n\nInvalid value\nValue validation failed\nSet failed\n";
  if (value.includes("'"))
    return "Cannot use the single quote (') character in a value string\nValue validation failed\nSet failed\n";
  if (value.includes('"'))
    return 'Cannot use the double quote (") character in a value string\nValue validation failed\nSet failed\n';
  if (or.length === 0 && and.length === 0) return undefined;
  if (or.some((check) => passes(value, check)) || and.some((group) => group.every((check) => passes(value, check))))
    return undefined;
  return err === undefined ? `Error: ${value} is not valid${failed}` : `${err}${failed}`;
}

function passes(value: string, { re, js, v, a = "" }: Check): boolean {
  if (re !== undefined) return new RegExp(js ?? `^${re}$`).test(value);
  const validator = VALIDATORS[v ?? ""];
  if (validator === undefined) throw new Error(`the tests know no validator ${JSON.stringify(v)}`);
  return validator(value, a);
}

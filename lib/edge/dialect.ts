/** Where the versions of VyOS that are understood differ: one table. Everything else has the same path in all. */
import { SelvedgeError } from "#lib/errors.ts";
import type { Path } from "./path.ts";

export type Version = "1.4" | "rolling";

export interface Dialect {
  readonly version: Version;
  /** HAProxy's section. */
  readonly loadBalancing: Path;
  /** A commit can be taken back by the router itself unless it is confirmed (T3955); 1.4 ignores the wish without a word. */
  readonly confirms: boolean;
}

export const DIALECTS: Readonly<Record<Version, Dialect>> = {
  "1.4": { version: "1.4", loadBalancing: ["load-balancing", "reverse-proxy"], confirms: false },
  rolling: { version: "rolling", loadBalancing: ["load-balancing", "haproxy"], confirms: true },
};

/**
 * The dialect of a version as a router tells it: `1.4.0`, `1.5-rolling-202602131234`, `2026.02.13-0018-rolling`.
 * @throws SelvedgeError config-invalid
 */
export function dialectOf(version: string): Dialect {
  const release = /(\d+)\.(\d+)/.exec(version);
  const [major, minor] = [Number(release?.[1]), Number(release?.[2])];
  if (major === 1 && minor === 4) return DIALECTS["1.4"];
  if ((major === 1 && minor >= 5) || major >= 100 || /circinus|current/.test(version)) return DIALECTS.rolling;
  throw new SelvedgeError(
    { kind: "config-invalid", field: "version" },
    `version: ${JSON.stringify(version)} is not a VyOS that Selvedge knows: 1.4, 1.5 or rolling`,
  );
}

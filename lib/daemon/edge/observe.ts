/** What a router has, as far as it concerns us. */
import { connectedIn } from "#lib/edge/connected.ts";
import { type Dialect, dialectOf } from "#lib/edge/dialect.ts";
import { type Ownership, type Piece, sections } from "#lib/edge/piece.ts";
import type { RouterSpec } from "#lib/edge/router.ts";
import type { Tree } from "#lib/edge/tree.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";

/** Sections that anything of ours is in. @throws SelvedgeError router */
export async function observe(router: Vyos, wanted: readonly Piece[], owned: Ownership): Promise<Tree> {
  const tree: Tree = new Map();
  // One after another: the router reads with the session that it writes with.
  for (const section of sections(wanted, owned)) {
    const below = await router.read([section]);
    if (below.size > 0) tree.set(section, below);
  }
  return tree;
}

/** With the networks of the router's own interfaces. @throws SelvedgeError router */
export async function withConnected(router: Vyos, spec: RouterSpec): Promise<RouterSpec> {
  const ours = new Set([...spec.sites, ...spec.legs].map((each) => each.interface));
  return { ...spec, connected: connectedIn(await router.read(["interfaces"]), ours) };
}

/** @throws SelvedgeError router, config-invalid for a version that is not known */
export async function versionOf(router: Vyos): Promise<{ readonly version: string; readonly dialect: Dialect }> {
  const version = await router.version();
  return { version, dialect: dialectOf(version) };
}

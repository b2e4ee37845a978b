/** All that can be asked of an API server, asked as somebody: every verb of every resource that it knows. */
import { slices } from "#lib/slices.ts";
import { eventually } from "../../conformance/program.ts";
import type { ControlPlane } from "./control-plane.ts";
import { type Right, rightInWords } from "./grants.ts";

type Server = Pick<ControlPlane, "answer" | "admin">;

export interface Try extends Right {
  /** Of its group: `apps/v1`. */
  readonly version: string;
}

/** kubernetes.io, "Authorization", request verbs. */
const METHODS: Readonly<Record<string, string>> = {
  get: "GET",
  list: "GET",
  watch: "GET",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
  deletecollection: "DELETE",
};
const OF_ALL = ["list", "watch", "create", "deletecollection"];
/** So many at a time: fewer than a server puts into a queue. */
const AT_ONCE = 8;

/** As the server lists it for whoever explores it. @param namespaces in which what belongs to one is tried */
export async function everything(server: Server, namespaces: readonly string[]): Promise<Try[]> {
  const read = async <T>(path: string): Promise<T> => {
    const { status, text } = await server.answer(server.admin, "GET", path);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return JSON.parse(text) as T;
  };
  const { groups } = await read<{ groups: { preferredVersion: { groupVersion: string } }[] }>("/apis");
  const versions = ["v1", ...groups.map(({ preferredVersion }) => preferredVersion.groupVersion)];
  const known = await Promise.all(
    versions.map(async (version) => {
      const { resources } = await read<{ resources: Resource[] }>(rootOf(version));
      return resources.flatMap((resource) => triesOf(version, resource, namespaces));
    }),
  );
  return known.flat();
}

/** meta/v1 APIResource. */
interface Resource {
  readonly name: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

const rootOf = (version: string): string => (version.includes("/") ? `/apis/${version}` : `/api/${version}`);

function triesOf(
  version: string,
  { name: resource, namespaced, verbs }: Resource,
  namespaces: readonly string[],
): Try[] {
  const [group = ""] = version.includes("/") ? version.split("/") : [];
  return verbs.flatMap((verb) => {
    const everywhere = !namespaced || verb === "list" || verb === "watch" ? [undefined] : [];
    const places = [...(namespaced ? namespaces : []), ...everywhere];
    return places.map((namespace) => ({ verb, group, version, resource, namespace, name: undefined }));
  });
}

/** Of one object it is this one: the account, the role and the DaemonSet are called so. */
function pathOf({ verb, version, resource, namespace }: Try): string {
  const [plural, part] = resource.split("/");
  const all = `${rootOf(version)}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${plural}`;
  const path = part === undefined && OF_ALL.includes(verb) ? all : `${all}/selvedge`;
  // Taken it is wrong, and ends.
  if (verb === "watch") return `${path}?watch=1&resourceVersion=none`;
  return part === undefined ? path : `${path}/${part}`;
}

/**
 * Whether the server does not refuse it to the bearer of the token.
 * @throws Error it refuses something else
 */
async function isTaken({ answer }: Server, token: string, right: Try): Promise<boolean> {
  const method = METHODS[right.verb];
  if (method === undefined) throw new Error(`${rightInWords(right)}: no request has this verb`);
  const path = `${pathOf(right)}${method === "GET" ? "" : "?dryRun=All"}`;
  const { status, text } = await eventually(rightInWords(right), async () => {
    const answered = await answer(token, method, path, method === "GET" ? {} : { object: {} });
    // "Too many requests": it has not been looked at.
    return answered.status === 429 ? undefined : answered;
  });
  const what = `cannot ${right.verb} resource "${right.resource}" in API group "${right.group}"`;
  if (status === 401 || (status === 403 && !messageIn(text).includes(what)))
    throw new Error(`${rightInWords(right)}: ${status} ${text}`);
  return status !== 403;
}

const messageIn = (status: string): string => (JSON.parse(status) as { message: string }).message;

/** What the bearer of the token may, and what not, in words. */
export async function tried(
  server: Server,
  token: string,
  all: readonly Try[],
): Promise<{ readonly taken: readonly string[]; readonly refused: readonly string[] }> {
  const [taken, refused]: [string[], string[]] = [[], []];
  for await (const some of slices(all, AT_ONCE))
    await Promise.all(
      some.map(async (each) => ((await isTaken(server, token, each)) ? taken : refused).push(rightInWords(each))),
    );
  return { taken, refused };
}

/**
 * What an operator would look at first on a node that does not do what it should: switches, other programs' firewalls,
 * programs that manage links, where the runtime looks for plugins. Reads only.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isFailure } from "#lib/errors.ts";
import { askNft } from "#native/libnftables.ts";
import { ALIAS_PREFIX } from "./rtnl/link.ts";

export interface Survey {
  /** By path below /proc/sys; absent: this kernel has no such switch (its module is not loaded). */
  readonly switches: Readonly<Partial<Record<Switch, string>>>;
  /** Chains on the forward hook, not ours, that drop what none of their rules accepts; undefined: nft cannot tell. */
  readonly dropping: readonly string[] | undefined;
  /** Tables of the old iptables, which nft does not see. */
  readonly legacyTables: readonly string[];
  /** Our links that another program manages as well. */
  readonly managed: readonly { readonly link: string; readonly by: string }[];
  /** Is the plugin's file in the runtime's directory, and may be executed? */
  readonly pluginInstalled: boolean;
  /** Files in the runtime's directory of configurations, in the order in which it prefers them. */
  readonly networks: readonly { readonly file: string; readonly ours: boolean }[];
  /** Mode bits and owner of the daemon's socket; undefined: it is not there. */
  readonly socket: { readonly mode: number; readonly uid: number } | undefined;
}

const SWITCHES = [
  "net/ipv4/ip_forward",
  "net/ipv6/conf/all/forwarding",
  "net/ipv4/conf/all/rp_filter",
  "net/bridge/bridge-nf-call-iptables",
  "net/netfilter/nf_conntrack_max",
  "net/netfilter/nf_conntrack_count",
] as const;
export type Switch = (typeof SWITCHES)[number];

export const CNI_BIN = "/opt/cni/bin";
export const CNI_CONF = "/etc/cni/net.d";

/** @param root what stands for `/`, for tests */
export async function survey(socket: string, root = "/"): Promise<Survey> {
  const switches = await Promise.all(
    SWITCHES.map(async (key) => [key, (await text(join(root, "proc/sys", key)))?.trim()] as const),
  );
  return {
    switches: Object.fromEntries(switches.filter(([, value]) => value !== undefined)),
    dropping: droppingChains(),
    legacyTables: (await legacyTables(root)).sort(),
    managed: await managedLinks(root),
    pluginInstalled: await isExecutable(join(root, CNI_BIN, "selvedge")),
    networks: await networks(join(root, CNI_CONF)),
    socket: await stat(socket).then(
      ({ mode, uid }) => ({ mode: mode & 0o777, uid }),
      () => undefined,
    ),
  };
}

const text = (file: string): Promise<string | undefined> => readFile(file, "utf8").catch(() => undefined);
const entries = (directory: string): Promise<string[]> => readdir(directory).catch(() => []);

interface ListedChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

function droppingChains(): string[] | undefined {
  try {
    const { nftables } = JSON.parse(askNft("list chains")) as { nftables: { chain?: ListedChain }[] };
    return nftables
      .flatMap(({ chain }) => chain ?? [])
      .filter(({ table, hook, policy }) => table !== "selvedge" && hook === "forward" && policy === "drop")
      .map(({ family, table, name }) => `${family} ${table} ${name}`);
  } catch (error) {
    // A library built without JSON, or somebody's table that it cannot print: no reason to say nothing of the rest.
    if (isFailure(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function legacyTables(root: string): Promise<string[]> {
  const files = ["proc/net/ip_tables_names", "proc/net/ip6_tables_names"];
  const found = await Promise.all(files.map((file) => text(join(root, file))));
  return [...new Set(found.flatMap((names) => (names ?? "").split("\n")).filter((name) => name !== ""))];
}

/** Where programs write what they do with the link of an index, and how one reads that they leave it alone. */
const MANAGERS = [
  { by: "systemd-networkd", directory: "run/systemd/netif/links", manages: /^ADMIN_STATE=(?!unmanaged)/m },
  { by: "NetworkManager", directory: "run/NetworkManager/devices", manages: /^managed=(true|full)/m },
] as const;

async function managedLinks(root: string): Promise<{ link: string; by: string }[]> {
  const names = new Map<string, string>();
  for (const name of await entries(join(root, "sys/class/net"))) {
    const place = join(root, "sys/class/net", name);
    if ((await text(join(place, "ifalias")))?.startsWith(ALIAS_PREFIX))
      names.set(((await text(join(place, "ifindex"))) ?? "").trim(), name);
  }
  const found: { link: string; by: string }[] = [];
  for (const { by, directory, manages } of MANAGERS)
    for (const index of await entries(join(root, directory))) {
      const link = names.get(index);
      if (link !== undefined && manages.test((await text(join(root, directory, index))) ?? ""))
        found.push({ link, by });
    }
  return found;
}

const isExecutable = (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isFile() && (found.mode & 0o111) !== 0,
    () => false,
  );

/** What containerd and CRI-O read (go-cni, ocicni): these endings, by name; the first is the one of the pods. */
const CONFIGURATION = /\.(conf|conflist|json)$/;

async function networks(directory: string): Promise<{ file: string; ours: boolean }[]> {
  const files = (await entries(directory)).filter((name) => CONFIGURATION.test(name)).sort();
  return Promise.all(files.map(async (file) => ({ file, ours: isOurs(await text(join(directory, file))) })));
}

const isOurs = (json: string | undefined): boolean => /"type"\s*:\s*"selvedge"/.test(json ?? "");

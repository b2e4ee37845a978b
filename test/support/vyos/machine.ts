/** The machine below a stand-in: FRR and nftables of the namespace that it runs in, driven as VyOS drives them. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Path } from "#lib/edge/path.ts";
import type { Tree } from "#lib/edge/tree.ts";
import { frrPrograms } from "#lib/frr/programs.ts";
import { run } from "#lib/frr/run.ts";
import { frrText } from "./frr-text.ts";
import { natText } from "./nat-text.ts";
import { segments } from "./segments.ts";
import { tunnels } from "./tunnels.ts";
import { virtualRouters, vrrpTable, vrrpText } from "./virtual-routers.ts";

const FRR = "/usr/lib/frr";
const WIREGUARD = join(import.meta.dirname, "../../../.cache/wireguard/wireguard");
/** For `needing`. */
export const MACHINE = [{ file: `${FRR}/bgpd` }, { file: `${FRR}/frr-reload.py` }, { program: "nft" }] as const;

/** The same for pairs of routers. */
export const PAIRS = [{ file: `${FRR}/vrrpd` }] as const;

/** The same for tunnels. */
export const TUNNELS = [{ file: WIREGUARD }] as const;

export interface Machine extends AsyncDisposable {
  /** Makes what was committed. @throws Error with what FRR or nft said */
  make(running: Tree): Promise<void>;
  /** An operational command that VyOS hands on to FRR (op-mode-definitions, vtysh_wrapper.sh). */
  show(path: Path): Promise<string>;
}

/** @param directory of FRR's sockets, below one that everybody may enter */
export async function machine(directory: string): Promise<Machine> {
  const programs = frrPrograms({ programs: FRR, directory, more: { zebra: ["-s", "90000000"] } });
  await programs.start(["zebra", "staticd", "bfdd", "bgpd"]);
  const places = ["--bindir", "/usr/bin", "--confdir", directory, "--rundir", directory, "--vty_socket", directory];
  const sites = tunnels(WIREGUARD);
  const legs = segments();
  const shared = virtualRouters(FRR, directory);
  const vtysh = (...command: readonly string[]): Promise<string> =>
    run("vtysh", ["--vty_socket", directory, "-c", command.join(" ")], 10_000);
  let committed: Tree = new Map();
  let routing = "";
  let translation = "";
  return {
    async make(running) {
      await sites.make(running);
      await legs.make(running);
      await shared.make(running);
      committed = running;
      const [frr, nat] = [frrText(running) + vrrpText(running), natText(running)];
      if (frr !== routing) {
        const file = join(directory, "frr.conf");
        writeFileSync(file, frr);
        await run("python3", [join(FRR, "frr-reload.py"), "--reload", ...places, file], 60_000);
        routing = frr;
      }
      if (nat !== translation) {
        const file = join(directory, "nat.nft");
        writeFileSync(file, nat);
        await promisify(execFile)("nft", ["-f", file]);
        translation = nat;
      }
    },
    async show(path) {
      if (path.join(" ") === "vrrp") return vrrpTable(committed, await vtysh("show", "vrrp", "json"));
      return await vtysh("show", ...path);
    },
    async [Symbol.asyncDispose]() {
      await sites[Symbol.asyncDispose]();
      await legs[Symbol.asyncDispose]();
      await shared[Symbol.asyncDispose]();
      await programs.end();
    },
  };
}

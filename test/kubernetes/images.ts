/** Images of what the cluster runs, where no registry has them: the same files, Debian's from this machine. */
import { copyFile, mkdir, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { must } from "../../conformance/program.ts";
import { packImage } from "../runtimes/image.ts";
import { PROGRAMS } from "./control-plane.ts";

const TOP = join(import.meta.dirname, "../..");
/** As install/kubernetes/selvedge.yaml names it. */
const SELVEDGE_IMAGE = "docker.io/library/selvedge:0.1.0";
export const COREDNS_IMAGE = "localhost/coredns:1";

/** Of install/kubernetes/Dockerfile. */
const PLACE = "/opt/selvedge";
const OURS = [
  "dist/selvedge",
  "dist/selvedged",
  "dist/selvedgectl",
  "install/kubernetes/install-node.sh",
  "install/net.d/05-selvedge.conflist",
];
/** What install-node.sh runs, and the library that the daemon loads. */
const DEBIANS = [
  ...["sh", "basename", "cat", "chmod", "cmp", "cp", "dirname", "ln", "mkdir", "mv", "readlink", "rm", "sed", "sleep"],
  ...["sync", "umount", "ip", "nft"],
];
/** netbase's: libnftables asks it for the numbers of protocols. */
const PROTOCOLS = "/etc/protocols";
const MERGED = ["bin", "sbin", "lib", "lib64"];

async function put(root: string, from: string, to: string): Promise<void> {
  await mkdir(dirname(join(root, to)), { recursive: true });
  await copyFile(from, join(root, to));
}

export const writeSelvedge = (archive: string): Promise<void> =>
  packImage(archive, {
    reference: SELVEDGE_IMAGE,
    config: {
      Entrypoint: [`${PLACE}/install-node.sh`],
      Cmd: ["run"],
      Env: [`PATH=${PLACE}:/usr/sbin:/usr/bin:/sbin:/bin`],
    },
    async fill(root) {
      for (const name of MERGED) {
        await mkdir(join(root, "usr", name), { recursive: true });
        await symlink(`usr/${name}`, join(root, name));
      }
      for (const file of OURS) await put(root, join(TOP, file), join(PLACE, basename(file)));
      const programs = (await must(["which", ...DEBIANS])).trim().split("\n");
      const needed = await must(["ldd", ...programs, join(TOP, "dist/selvedged")]);
      const libraries = needed.match(/\/\S+\.so\S*/g) ?? [];
      for (const file of new Set([...programs, ...libraries, PROTOCOLS])) await put(root, file, file);
    },
  });

export const writeCoredns = (archive: string): Promise<void> =>
  packImage(archive, {
    reference: COREDNS_IMAGE,
    config: { Entrypoint: ["/coredns"] },
    fill: (root) => put(root, join(PROGRAMS, "coredns"), "/coredns"),
  });

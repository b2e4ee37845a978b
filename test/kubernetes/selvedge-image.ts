/** The image of install/kubernetes/Dockerfile where no registry has its base: the same files, Debian's from this machine. */
import { copyFile, mkdir, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { must } from "../../conformance/program.ts";
import { packImage } from "../runtimes/image.ts";

const TOP = join(import.meta.dirname, "../..");
/** As install/kubernetes/selvedge.yaml names it. */
export const SELVEDGE_IMAGE = "docker.io/library/selvedge:0.1.0";
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

export const writeSelvedgeImage = (archive: string): Promise<void> =>
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
      const put = async (from: string, to: string) => {
        await mkdir(dirname(join(root, to)), { recursive: true });
        await copyFile(from, join(root, to));
      };
      for (const file of OURS) await put(join(TOP, file), join(PLACE, basename(file)));
      const programs = (await must(["which", ...DEBIANS])).trim().split("\n");
      const needed = await must(["ldd", ...programs, join(TOP, "dist/selvedged")]);
      const libraries = needed.match(/\/\S+\.so\S*/g) ?? [];
      for (const file of new Set([...programs, ...libraries, PROTOCOLS])) await put(file, file);
    },
  });

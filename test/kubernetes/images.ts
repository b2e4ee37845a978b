/** Images of what the cluster runs, where no registry has them. */
import { globSync, readFileSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { must } from "../../conformance/program.ts";
import { packImage } from "../runtimes/image.ts";
import { PROGRAMS } from "./control-plane.ts";

const MANIFEST = join(import.meta.dirname, "../../package.json");
export const { version: VERSION } = JSON.parse(readFileSync(MANIFEST, "utf8")) as { version: string };

/** Of install/kubernetes/Dockerfile, under the name that selvedge.yaml has: image.sh builds it. */
export const SELVEDGE = join(PROGRAMS, "selvedge.tar");
/** The same with programs of another version. */
export const NEXT = {
  archive: join(PROGRAMS, "selvedge-next.tar"),
  image: "selvedge:next",
  version: `${VERSION}-next`,
} as const;
/** Of test/flannel.sh. */
const FLANNEL = join(import.meta.dirname, "../../.cache/flannel");
export const FLANNEL_PROGRAMS = ["flanneld", "flannel"].map((name) => join(FLANNEL, name));
export const FLANNEL_IMAGE = "localhost/flannel:1";
export const COREDNS_IMAGE = "localhost/coredns:1";

export const writeCoredns = (archive: string): Promise<void> =>
  packImage(archive, {
    reference: COREDNS_IMAGE,
    config: { Entrypoint: ["/coredns"] },
    fill: (root) => copyFile(join(PROGRAMS, "coredns"), join(root, "coredns")),
  });

const IPTABLES = ["iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"];
const FIREWALL = [...IPTABLES, "nft"].map((name) => `/usr/sbin/${name}`);

/** Both of its images in one: the daemon in /opt/bin, the CNI plugin in /, and what it makes the firewall with. */
export const writeFlannel = (archive: string): Promise<void> =>
  packImage(archive, {
    reference: FLANNEL_IMAGE,
    config: { Env: ["PATH=/usr/sbin:/bin"] },
    async fill(root) {
      const [daemon = "", plugin = ""] = FLANNEL_PROGRAMS;
      const libraries = (await must(["ldd", daemon, ...FIREWALL])).matchAll(/\s(\/\S+) \(0x/g);
      const files = new Set(Array.from(libraries, ([, file = ""]) => file));
      const matches = globSync("/usr/lib/*/xtables");
      await must(["cp", "--recursive", "--dereference", "--parents", ...FIREWALL, ...matches, ...files, root]);
      for (const path of ["bin", "opt/bin"]) await mkdir(join(root, path), { recursive: true });
      await copyFile("/usr/bin/busybox", join(root, "bin/cp"));
      await copyFile(daemon, join(root, "opt/bin/flanneld"));
      await copyFile(plugin, join(root, "flannel"));
    },
  });

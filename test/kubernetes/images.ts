/** Images of what the cluster runs, where no registry has them. */
import { readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
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
export const COREDNS_IMAGE = "localhost/coredns:1";

export const writeCoredns = (archive: string): Promise<void> =>
  packImage(archive, {
    reference: COREDNS_IMAGE,
    config: { Entrypoint: ["/coredns"] },
    fill: (root) => copyFile(join(PROGRAMS, "coredns"), join(root, "coredns")),
  });

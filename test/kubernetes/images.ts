/** Images of what the cluster runs, where no registry has them. */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { packImage } from "../runtimes/image.ts";
import { PROGRAMS } from "./control-plane.ts";

/** Of install/kubernetes/Dockerfile, under the name that selvedge.yaml has: image.sh builds it. */
export const SELVEDGE = join(PROGRAMS, "selvedge.tar");
export const COREDNS_IMAGE = "localhost/coredns:1";

export const writeCoredns = (archive: string): Promise<void> =>
  packImage(archive, {
    reference: COREDNS_IMAGE,
    config: { Entrypoint: ["/coredns"] },
    fill: (root) => copyFile(join(PROGRAMS, "coredns"), join(root, "coredns")),
  });

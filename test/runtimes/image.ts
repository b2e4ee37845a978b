/** Container images without a registry: one layer, as `docker save` would write it. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { must } from "../../conformance/program.ts";

export const PAUSE = "localhost/pause:1";
export const TOOLS = "localhost/tools:1";

const COMMANDS = ["sh", "sleep", "httpd", "wget", "hostname", "mkdir", "ip", "cat", "nc", "timeout", "nslookup"];

/** Writes an archive of a static busybox, which does nothing until it is stopped. */
export const writeImage = (archive: string, reference: string): Promise<void> =>
  packImage(archive, {
    reference,
    config: { Entrypoint: ["/bin/sleep", "2147483647"], Env: ["PATH=/bin"], WorkingDir: "/" },
    async fill(root) {
      await mkdir(join(root, "bin"));
      await copyFile("/usr/bin/busybox", join(root, "bin", "busybox"));
      for (const name of COMMANDS) await symlink("busybox", join(root, "bin", name));
    },
  });

export interface ImageContent {
  /** What it is imported as. */
  readonly reference: string;
  /** What runs, and how (OCI image specification, "config"). */
  readonly config: object;
  /** Puts the files of the image into a directory. */
  fill(root: string): Promise<void>;
}

export async function packImage(archive: string, { reference, config: execution, fill }: ImageContent): Promise<void> {
  const work = `${archive}.work`;
  const root = join(work, "root");
  await mkdir(root, { recursive: true });
  await fill(root);
  const tar = ["tar", "--numeric-owner", "--owner=0", "--group=0", "--sort=name", "--mtime=@0", "--format=ustar"];
  await must([...tar, "-C", root, "-cf", join(work, "layer.tar"), "."]);
  const digest = createHash("sha256")
    .update(await readFile(join(work, "layer.tar")))
    .digest("hex");
  const config = JSON.stringify({
    architecture: { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? process.arch,
    os: "linux",
    config: execution,
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
  });
  const name = `${createHash("sha256").update(config).digest("hex")}.json`;
  await writeFile(join(work, name), config);
  const manifest = [{ Config: name, RepoTags: [reference], Layers: ["layer.tar"] }];
  await writeFile(join(work, "manifest.json"), JSON.stringify(manifest));
  await must([...tar, "-C", work, "-cf", archive, "manifest.json", name, "layer.tar"]);
  await rm(work, { recursive: true });
}

/** A command that serves the container's host name on a port. */
export const serving = (port: number): readonly string[] => [
  "/bin/sh",
  "-c",
  `mkdir -p /www && hostname >/www/index.html && exec httpd -f -p ${port} -h /www`,
];

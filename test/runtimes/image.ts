/** Container images without a registry: one layer with a static busybox, as `docker save` would write it. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { must } from "../../conformance/program.ts";

export const PAUSE = "localhost/pause:1";
export const TOOLS = "localhost/tools:1";

const COMMANDS = ["sh", "sleep", "httpd", "wget", "hostname", "mkdir", "ip", "cat", "nc"];

/** Writes an archive that containerd and podman import as `reference`; the image does nothing until it is stopped. */
export async function writeImage(archive: string, reference: string): Promise<void> {
  const work = `${archive}.work`;
  const root = join(work, "root");
  await mkdir(join(root, "bin"), { recursive: true });
  await copyFile("/usr/bin/busybox", join(root, "bin", "busybox"));
  for (const name of COMMANDS) await symlink("busybox", join(root, "bin", name));
  const tar = ["tar", "--numeric-owner", "--owner=0", "--group=0", "--sort=name", "--mtime=@0", "--format=ustar"];
  await must([...tar, "-C", root, "-cf", join(work, "layer.tar"), "."]);
  const digest = createHash("sha256")
    .update(await readFile(join(work, "layer.tar")))
    .digest("hex");
  const config = JSON.stringify({
    architecture: { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? process.arch,
    os: "linux",
    config: { Entrypoint: ["/bin/sleep", "2147483647"], Env: ["PATH=/bin"], WorkingDir: "/" },
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

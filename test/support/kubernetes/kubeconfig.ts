/** A node's way to a fake API server, as a file. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FakeApiServer } from "./api-server.ts";
import { TOKEN } from "./authority.ts";

/** @param ca PEM @returns the file */
export function writeKubeconfig(directory: string, { url }: Pick<FakeApiServer, "url">, ca: string): string {
  const file = join(directory, "kubeconfig");
  const cluster = { server: url, "certificate-authority-data": Buffer.from(ca).toString("base64") };
  writeFileSync(
    file,
    JSON.stringify({
      "current-context": "here",
      contexts: [{ name: "here", context: { cluster: "here", user: "node" } }],
      clusters: [{ name: "here", cluster }],
      users: [{ name: "node", user: { token: TOKEN } }],
    }),
  );
  return file;
}

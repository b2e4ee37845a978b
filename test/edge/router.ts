/** A stand-in router as a process in a namespace. */
import { once } from "node:events";
import { join } from "node:path";
import type { Version } from "#lib/edge/dialect.ts";
import { inside, must, start, stop } from "../../conformance/program.ts";
import type { Identity } from "../store/pki.ts";

const SERVE = join(import.meta.dirname, "../support/vyos/serve.ts");
export const API = 8_443;
export const KEY = "s3cret key";

export interface RouterOptions {
  /** Namespace; also of the directory of its FRR. */
  readonly space: string;
  readonly version: Version;
  readonly identity: Identity;
  /** Address of its API. */
  readonly host: string;
}

export interface RunningRouter extends AsyncDisposable {
  /** What its FRR answers. */
  vtysh(command: string): Promise<string>;
}

/** Returns when it answers. */
export async function startRouter({ space, version, identity, host }: RouterOptions): Promise<RunningRouter> {
  const directory = `/run/frr-${space}`;
  const words = [version, identity.certificate, identity.key, host, `${API}`, KEY, directory];
  const { NODE_OPTIONS: _, ...environment } = process.env as Record<string, string>;
  const served = start(inside(space, [process.execPath, SERVE, ...words]), environment);
  served.stderr?.on("data", (text: Buffer) => process.stderr.write(text));
  if (served.stdout !== null) await once(served.stdout, "data");
  return {
    vtysh: (command) => must(inside(space, ["vtysh", "--vty_socket", directory, "-c", command])),
    // FRR ends with it.
    [Symbol.asyncDispose]: () => stop(served, 20_000),
  };
}

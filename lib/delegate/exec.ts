/** The exec protocol of the CNI specification from the caller's side (libcni's pkg/invoke): the real `Delegate`. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { SelvedgeError } from "#lib/errors.ts";
import { readAnswer } from "./answer.ts";
import type { Delegate, Delegation, Overheard } from "./delegate.ts";

/** A result or an error object; more is a plugin gone wild. */
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Standard error is for people: what is beyond is not kept. */
const MAX_STDERR_BYTES = 64 * 1024;
/** libcni tries six times, a second apart, when the binary is being written; an installer's copy takes less. */
const BUSY_TRIES = 20;
const BUSY_WAIT_MS = 100;

export function execDelegate(overheard: Overheard): Delegate {
  return async (delegation) => {
    const file = await find(delegation.plugin, delegation.path);
    const ended = await runWhenFree(file, delegation);
    if (ended.stderr !== "") overheard(delegation.plugin, ended.stderr);
    return readAnswer(delegation, ended);
  };
}

/**
 * The first executable of that name in a CNI_PATH.
 * @throws SelvedgeError config-invalid for a name with a slash, delegate when there is none
 */
export async function find(plugin: string, path: string): Promise<string> {
  if (plugin === "" || plugin.includes("/") || plugin.includes("\0") || plugin === "." || plugin === "..")
    throw new SelvedgeError(
      { kind: "config-invalid", field: "ipam.type" },
      `ipam.type: ${JSON.stringify(plugin)} is not the name of a plugin's binary`,
    );
  for (const directory of path.split(":").filter((each) => each !== "")) {
    const file = `${directory}/${plugin}`;
    const usable = await access(file, constants.X_OK).then(
      async () => (await stat(file)).isFile(),
      () => false,
    );
    if (usable) return file;
  }
  throw new SelvedgeError(
    { kind: "delegate", plugin, code: 0 },
    `failed to find plugin ${JSON.stringify(plugin)} in path [${path}]`,
    { hint: "Install the plugin on this node, or correct ipam.type or the runtime's CNI_PATH." },
  );
}

export interface Ended {
  /** undefined: killed by a signal. */
  readonly exit: number | undefined;
  readonly stdout: Uint8Array;
  readonly stderr: string;
  readonly why?: "deadline" | "too much output";
}

async function runWhenFree(file: string, delegation: Delegation): Promise<Ended> {
  for (let tries = 1; ; tries++) {
    try {
      return await run(file, delegation);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "ETXTBSY" && tries < BUSY_TRIES) await sleep(BUSY_WAIT_MS);
      else
        throw new SelvedgeError(
          { kind: "delegate", plugin: delegation.plugin, code: 0 },
          `plugin ${delegation.plugin} cannot be run: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
    }
  }
}

/** Runs to the end of the process and of its output, or to its deadline. Rejects only when it could not be started. */
function run(file: string, delegation: Delegation): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  // In a session of its own, so that a deadline also ends what the plugin has started.
  const child = spawn(file, [], { env: environment(delegation), stdio: "pipe", detached: true });
  child.on("error", reject);
  // Without descriptors or processes to be had there is no child, and its streams, which are then not there, are typed as if.
  if (child.pid === undefined) return promise;
  let why: Ended["why"];
  const kill = (reason: NonNullable<Ended["why"]>): void => {
    why ??= reason;
    killGroup(child);
    // What has left the session lives on, with the other ends of its output: nobody waits for those.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const timer = setTimeout(kill, delegation.deadlineMs, "deadline");
  const stdout = collect(child.stdout, MAX_OUTPUT_BYTES, () => kill("too much output"));
  const stderr = collect(child.stderr, MAX_STDERR_BYTES, () => undefined);
  child.stdin.on("error", () => undefined); // it need not read what it is told
  child.stdin.end(delegation.config);
  child.once("close", (exit) => {
    clearTimeout(timer);
    const said = { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
    resolve({ exit: exit ?? undefined, ...said, ...(why !== undefined && { why }) });
  });
  return promise;
}

/** Exactly the protocol's variables; PATH because plugins run `ip` and `iptables`. */
function environment(delegation: Delegation): Record<string, string> {
  const { verb, containerId, netns, ifname, args, path } = delegation;
  const common = {
    CNI_COMMAND: verb,
    CNI_PATH: path,
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  };
  if (verb === "GC" || verb === "STATUS") return common;
  return { ...common, CNI_CONTAINERID: containerId, CNI_NETNS: netns, CNI_IFNAME: ifname, CNI_ARGS: args };
}

function collect(stream: NodeJS.ReadableStream, limitBytes: number, full: () => void): Buffer[] {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= limitBytes) chunks.push(chunk);
    else full();
  });
  return chunks;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // it has ended in this moment
  }
}

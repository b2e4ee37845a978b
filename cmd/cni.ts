/**
 * `selvedge`, the CNI executable. Bun compiles it to one file, and only Bun runs it: its own file and socket calls
 * start a millisecond sooner than node:fs and node:net, which is a fifth of the whole.
 */
import { call } from "#lib/api/client.ts";
import { concat, decodeReply, encodeRequest } from "#lib/api/message.ts";
import { enqueue, QUEUE_DIRS } from "#lib/api/queue.ts";
import { loopback } from "#lib/cni/loopback.ts";
import { type DaemonVerb, plugin } from "#lib/cni/plugin.ts";
import { enterLoopback } from "#native/loopback.ts";

/** The part of Bun's interface that is used here. */
declare const Bun: {
  readonly stdin: { stream(): ReadableStream<Uint8Array> };
  file(path: string): { stat(): Promise<{ ino: number }> };
};
declare const SELVEDGE_VERSION: string | undefined;

const METHOD = {
  ADD: "/selvedge.v1.Node/Add",
  DEL: "/selvedge.v1.Node/Del",
  CHECK: "/selvedge.v1.Node/Check",
  GC: "/selvedge.v1.Node/Gc",
  STATUS: "/selvedge.v1.Node/Status",
} as const satisfies Record<DaemonVerb, string>;

const HELP = `selvedge: the CNI plugin of Selvedge.

A container runtime starts it with CNI_* variables and a network configuration on standard input
(https://www.cni.dev/docs/spec/). It hands both to selvedged, the daemon of the node.
Under the name "loopback" (a link or a copy) it raises the pod's loopback link, without the daemon.

  selvedge --help       this text
  selvedge --version    the program's version
  CNI_COMMAND=VERSION   the versions of the CNI specification that are supported

Environment:
  SELVEDGE_SOCKET       the daemon's socket (/run/selvedge/selvedged.sock)
  SELVEDGE_QUEUE        directories for DELs while the daemon is away, separated by colons
                        (${QUEUE_DIRS.join(":")})
`;

async function main(): Promise<void> {
  const option = process.argv[2];
  if (option === "--help" || option === "-h") return finish(0, HELP);
  if (option === "--version")
    return finish(0, `selvedge ${typeof SELVEDGE_VERSION === "string" ? SELVEDGE_VERSION : "development"}\n`);
  const variables = process.env;
  const { SELVEDGE_SOCKET, SELVEDGE_QUEUE } = variables;
  const socket = SELVEDGE_SOCKET || "/run/selvedge/selvedged.sock";
  const directories = SELVEDGE_QUEUE?.split(":").filter((each) => each !== "") ?? QUEUE_DIRS;
  const { exit, out, err } = await plugin({
    variables,
    stdin,
    inode,
    ask: async (verb, request, deadlineMs) =>
      decodeReply(await call(socket, METHOD[verb], encodeRequest(request), { deadlineMs })),
    loopback: async (verb, call) => loopback(verb, call, enterLoopback),
    enqueue: async (request) => {
      await enqueue(request, directories, BigInt(Date.now()) * 1_000_000n);
    },
  });
  if (err !== "") console.error(err.trimEnd());
  finish(exit, out);
}

async function stdin(limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of Bun.stdin.stream()) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limitBytes) break;
  }
  return concat(chunks);
}

const inode = (path: string): Promise<number> =>
  Bun.file(path)
    .stat()
    .then(
      ({ ino }) => ino,
      () => 0,
    );

/** console.log writes before it returns; process.exit does not wait for what is still open. */
function finish(exit: number, out: string): void {
  if (out !== "") console.log(out.trimEnd());
  process.exit(exit);
}

void main();

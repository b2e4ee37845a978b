/** Every command of selvedgectl: one row for each. Usage, completion and parsing are derived from this table. */
import { attachments } from "./attachments.ts";
import { blocks } from "./blocks.ts";
import type { Command, Option } from "./command.ts";
import { completion, SHELLS } from "./completion.ts";
import { connectivity } from "./connectivity.ts";
import { doctor } from "./doctor.ts";
import { edge } from "./edge.ts";
import { egress } from "./egress.ts";
import { gc } from "./gc.ts";
import { helpOf } from "./help.ts";
import { ipam } from "./ipam.ts";
import { mirror } from "./mirror.ts";
import { networks } from "./networks.ts";
import { nodes } from "./nodes.ts";
import { path } from "./path.ts";
import { peers } from "./peers.ts";
import { plan, reconcile } from "./plan.ts";
import { policy } from "./policy.ts";
import { qos } from "./qos.ts";
import { release, reservations, reserve } from "./reservations.ts";
import { status } from "./status.ts";
import { tenants } from "./tenants.ts";
import { trace } from "./trace.ts";

/** Options that every command takes. */
export const EVERYWHERE: Readonly<Record<string, Option>> = {
  json: { meaning: "print JSON, with the fields of proto/selvedge.proto" },
  socket: { value: "PATH", meaning: "the daemon's socket (SELVEDGE_SOCKET, or /run/selvedge/selvedged.sock)" },
  timeout: { value: "SECONDS", meaning: "how long to wait for the daemon (30)" },
  help: { meaning: "what the command does and takes" },
  version: { meaning: "the version of selvedgectl" },
};

const text = (json: string) => ({ json, lines: () => json.trimEnd().split("\n") });

export const COMMANDS: Readonly<Record<string, Command>> = {
  status,
  attachments,
  ipam,
  reservations,
  reserve,
  release,
  networks,
  tenants,
  nodes,
  peers,
  blocks,
  egress,
  connectivity,
  path,
  policy,
  edge,
  qos,
  mirror,
  trace,
  plan,
  reconcile,
  gc,
  doctor,
  completion: {
    summary: "A completion script for your shell.",
    usage: "bash|zsh|fish",
    fewestWords: 1,
    mostWords: 1,
    choices: SHELLS,
    options: {},
    run: async (_ask, { words: [shell = ""] }) => text(completion(shell, COMMANDS, EVERYWHERE)),
  },
  help: {
    summary: "This text, or that of one command.",
    usage: "[COMMAND]",
    fewestWords: 0,
    mostWords: 1,
    choices: [],
    options: {},
    run: async (_ask, { words: [name] }) => text(helpOf(name, COMMANDS, EVERYWHERE)),
  },
};

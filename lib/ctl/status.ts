import { Admin, type NodeStatus } from "#proto/selvedge_pb.ts";
import { counted, duration, mebibytes } from "./amount.ts";
import { type Command, EXIT, WORDLESS } from "./command.ts";
import { poolTable } from "./pools.ts";
import { printable, type Style } from "./style.ts";

export const status: Command = {
  ...WORDLESS,
  summary: "Is this node ready, and if not, what is it waiting for?",
  options: {},
  async run(ask) {
    const node = await ask(Admin.getStatus, {});
    return {
      json: node,
      lines: (style, width) => lines(node, style, width),
      exit: node.ready ? EXIT.ok : EXIT.notReady,
    };
  },
};

function lines(node: NodeStatus, style: Style, width: number): string[] {
  const state = node.ready ? style.green("ready") : style.red("not ready");
  const facts: [string, string][] = [
    ["up for", duration(node.uptimeMs)],
    ["attachments", `${node.attachments} (${node.adding} adding, ${node.deleting} deleting)`],
    ["verbs", `${node.running} running, ${node.queued} queued`],
    ["links to remove", String(node.linkRemovalsPending)],
    ["last reconcile", lastReconcile(node)],
    ["memory", mebibytes(node.rssBytes)],
    ["path MTU", `${node.pathMtu} bytes`],
    ["kernel", node.kernelRelease],
    ["store", node.store],
  ];
  return [
    `selvedged ${printable(node.version)}: ${state}`,
    ...node.waitingFor.map((reason) => `  ${style.yellow("waiting for")} ${printable(reason)}`),
    ...node.stale.map((reason) => `  ${style.yellow("stale")} ${printable(reason)}`),
    ...facts.map(([name, value]) => `  ${name.padEnd(17)}${printable(value)}`.trimEnd()),
    ...(node.pools.length > 0 ? ["", ...poolTable(node.pools, style, width)] : []),
  ];
}

const lastReconcile = (node: NodeStatus): string =>
  node.lastReconcile === ""
    ? "none yet"
    : `${node.lastReconcile}, ${duration(node.lastReconcileMs)}; ${counted(node.repairs, "repair")} since start`;

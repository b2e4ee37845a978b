import { Admin, type Connectivity, type Reach } from "#proto/selvedge_pb.ts";
import { counted } from "./amount.ts";
import { type Command, EXIT, WORDLESS } from "./command.ts";
import { loss, rtt } from "./peers.ts";
import { printable, type Style } from "./style.ts";
import { table } from "./table.ts";

/** Nodes that do not answer are waited for so long. */
const WAIT_MS = 5_000;

export const connectivity: Command = {
  ...WORDLESS,
  summary: "Who reaches whom, as every node's probes show?",
  options: { node: { value: "NAME", repeated: true, meaning: "only between these nodes (all)" } },
  async run(ask, { value }) {
    const nodes = value("node").split(",").filter(Boolean);
    const mesh = await ask(Admin.testConnectivity, { nodes, waitMs: WAIT_MS });
    const isWell = mesh.silent.length === 0 && mesh.reaches.every((reach) => reach.liveness === "alive");
    return {
      json: mesh,
      lines: (style, width) => lines(mesh, style, width),
      exit: isWell ? EXIT.ok : EXIT.ailing,
    };
  },
};

const lines = ({ reaches, silent }: Connectivity, style: Style, width: number): string[] => [
  ...table(
    [
      { heading: "FROM" },
      { heading: "TO" },
      { heading: "STATE" },
      { heading: "IPv4 BY" },
      { heading: "MTU", right: true },
      { heading: "IPv6 BY" },
      { heading: "MTU", right: true },
      { heading: "RTT", right: true },
      { heading: "LOSS", right: true },
    ],
    reaches.map((reach) => [
      reach.from,
      reach.to,
      reach.liveness,
      reach.way4,
      mtu(reach.mtu4),
      reach.way6,
      mtu(reach.mtu6),
      rtt(reach.probes),
      loss(reach.probes),
    ]),
    style,
    width,
  ),
  "",
  verdict(reaches, silent, style),
  ...silent.map((name) => style.yellow(`${printable(name)} did not answer`)),
];

const mtu = (bytes: number): string => (bytes === 0 ? "" : String(bytes));

function verdict(reaches: readonly Reach[], silent: readonly string[], style: Style): string {
  const ailing = reaches.filter(({ liveness }) => liveness !== "alive").length;
  if (ailing === 0 && silent.length > 0) return style.yellow(`${counted(reaches.length, "direction")} well`);
  return ailing === 0
    ? style.green(`${counted(reaches.length, "direction")}, all well`)
    : style.red(`${ailing} of ${counted(reaches.length, "direction")} not well`);
}

import { Admin, type ClusterState } from "#proto/selvedge_pb.ts";
import { counted } from "./amount.ts";
import { type Command, EXIT, WORDLESS } from "./command.ts";
import { printable, type Style } from "./style.ts";
import { table } from "./table.ts";

export const nodes: Command = {
  ...WORDLESS,
  summary: "The nodes of the cluster, as this one knows them.",
  options: {},
  async run(ask) {
    const state = await ask(Admin.listNodes, {});
    return {
      json: state,
      lines: (style, width) => lines(state, style, width),
      exit: state.trouble === "" ? EXIT.ok : EXIT.ailing,
    };
  },
};

const lines = ({ nodes: all, storeReached, doubted, trouble }: ClusterState, style: Style, width: number): string[] => [
  ...(trouble === "" ? [] : [style.red(printable(trouble))]),
  ...(storeReached ? [] : [style.yellow("the store is away: this is what was known last")]),
  ...(doubted === 0
    ? []
    : [style.yellow(`the store lacks ${counted(doubted, "record")}, which still count for a while`)]),
  ...table(
    [
      { heading: "NODE" },
      { heading: "STATE" },
      { heading: "STORE" },
      { heading: "ADDRESSES", cut: true },
      { heading: "WAYS", cut: true },
      { heading: "REACHED BY IT", right: true },
      { heading: "VERSION" },
    ],
    all.map((node) => [
      node.self ? `${node.name} (this)` : node.name,
      node.liveness,
      node.heardOf ? "heard of" : "silent",
      node.addresses.join(" "),
      node.ways.join(" "),
      String(node.destinations),
      node.version,
    ]),
    style,
    width,
  ),
];

import { Admin } from "#proto/selvedge_pb.ts";
import type { Command } from "./command.ts";
import { table } from "./table.ts";

export const blocks: Command = {
  summary: "The pieces of the pools and which node has them.",
  usage: "[POOL]",
  fewestWords: 0,
  mostWords: 1,
  choices: [],
  options: {},
  async run(ask, { words: [pool] }) {
    const all = (await ask(Admin.listBlocks, {})).blocks;
    const chosen = pool === undefined ? all : all.filter((block) => block.pool === pool);
    return {
      json: { blocks: chosen },
      lines: (style, width) =>
        chosen.length === 0
          ? ["no blocks"]
          : table(
              [
                { heading: "POOL" },
                { heading: "BLOCK" },
                { heading: "NODE" },
                { heading: "USED", right: true },
                { heading: "COOLING", right: true },
                { heading: "FREE", right: true },
                { heading: "LENT", cut: true },
                { heading: "FIXED", cut: true },
              ],
              chosen.map((block) => [
                block.pool,
                block.prefix,
                block.own ? `${block.node} (this)` : block.node,
                ...(block.own ? [block.used, block.cooling, block.free].map(String) : ["", "", ""]),
                block.lent.join(", "),
                block.fixed.join(", "),
              ]),
              style,
              width,
            ),
    };
  },
};

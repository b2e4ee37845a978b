import { Admin, type EgressAddress } from "#proto/selvedge_pb.ts";
import { type Command, WORDLESS } from "./command.ts";
import type { Style } from "./style.ts";
import { type Painted, table } from "./table.ts";

export const egress: Command = {
  ...WORDLESS,
  summary: "Egress addresses: who holds them, and how pods get there.",
  options: {},
  async run(ask) {
    const { addresses } = await ask(Admin.listEgress, {});
    return {
      json: { addresses },
      lines: (style, width) =>
        addresses.length === 0
          ? ["none configured"]
          : table(
              [
                { heading: "NAME" },
                { heading: "ADDRESS" },
                { heading: "HOLDER" },
                { heading: "SINCE" },
                { heading: "FROM HERE" },
                { heading: "PODS HERE", right: true },
                { heading: "WHY", cut: true },
              ],
              addresses.map((each) => [
                each.name,
                each.address,
                each.holder,
                each.since,
                exit(each, style),
                String(each.pods.length),
                each.reason,
              ]),
              style,
              width,
            ),
    };
  },
};

function exit({ exit: where, holder }: EgressAddress, style: Style): Painted {
  if (where === "nowhere") return { text: "refused", paint: style.red };
  return { text: where === "here" ? "leaves here" : `by ${holder}`, paint: style.green };
}

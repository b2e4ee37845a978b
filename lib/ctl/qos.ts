import { Admin, type QosList, type Traffic } from "#proto/selvedge_pb.ts";
import { bitRate } from "./amount.ts";
import { shortId } from "./attachments.ts";
import type { Command } from "./command.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { theOne } from "./the-one.ts";

export const qos: Command = {
  summary: "Rates, marks and drops: configured and measured.",
  usage: "[ATTACHMENT]",
  fewestWords: 0,
  mostWords: 1,
  choices: [],
  options: {},
  async run(ask, { words: [wanted] }) {
    const key = wanted === undefined ? {} : theOne(wanted, (await ask(Admin.listAttachments, {})).attachments);
    const list = await ask(Admin.measureQos, key);
    return {
      json: list,
      lines: (style, width) => (list.interfaces.length === 0 ? ["no attachments"] : lines(list, style, width)),
    };
  },
};

/** Columns of what `rates` gives. */
const RATES = ["LIMIT", "ASSURED", "MEASURED", "DROPS", "WAITED"].map((heading) => ({ heading, right: true }));

const lines = ({ interfaces, totals }: QosList, style: Style, width: number): string[] => [
  ...table(
    [
      { heading: "CONTAINER" },
      { heading: "IFNAME" },
      { heading: "NETWORK", cut: true },
      { heading: "DSCP" },
      { heading: "PRIORITY", right: true },
      { heading: "DIRECTION" },
      ...RATES,
    ],
    interfaces.flatMap((each) =>
      [each.ingress, each.egress].map((traffic, i) => [
        ...(i === 0
          ? [shortId(each.key?.containerId ?? ""), each.key?.ifname ?? "", each.network, each.dscp, each.priority]
          : [" ", " ", " ", " ", " "]),
        traffic?.direction ?? "",
        ...rates(traffic),
      ]),
    ),
    style,
    width,
  ),
  ...(totals.length === 0
    ? []
    : [
        "",
        ...table(
          [{ heading: "POD TOTAL" }, { heading: "DIRECTION" }, ...RATES],
          totals.map((each) => [shortId(each.key?.containerId ?? ""), each.direction, ...rates(each)]),
          style,
          width,
        ),
      ]),
];

const rates = (of: Traffic | undefined): string[] =>
  of === undefined
    ? []
    : [
        of.limitBits === 0 ? "" : bitRate(of.limitBits),
        of.assuredBits === 0 ? "" : bitRate(of.assuredBits),
        bitRate(of.measuredBits),
        String(of.drops),
        String(of.overlimits),
      ];

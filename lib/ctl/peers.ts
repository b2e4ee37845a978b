import { Admin, type Peer, type Probes } from "#proto/selvedge_pb.ts";
import { milliseconds, percent } from "./amount.ts";
import type { Command } from "./command.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";

export const peers: Command = {
  summary: "How this node reaches the others, and how well.",
  usage: "[NODE]",
  fewestWords: 0,
  mostWords: 1,
  choices: [],
  options: {},
  async run(ask, { words: [wanted] }) {
    const all = (await ask(Admin.listPeers, {})).peers;
    const chosen = wanted === undefined ? all : all.filter(({ name }) => name === wanted);
    return {
      json: { peers: chosen },
      lines: (style, width) => (chosen.length === 0 ? ["no peers"] : lines(chosen, style, width)),
    };
  },
};

const lines = (all: readonly Peer[], style: Style, width: number): string[] =>
  table(
    [
      { heading: "PEER" },
      { heading: "STATE" },
      { heading: "PODS" },
      { heading: "WAY" },
      { heading: "TO", cut: true },
      { heading: "BY" },
      { heading: "MTU", right: true },
      { heading: "RTT", right: true },
      { heading: "LOSS", right: true },
      { heading: "HANDSHAKE" },
      { heading: "WHY", cut: true },
    ],
    all.flatMap((peer) =>
      peer.ways.map((way, i) => [
        i === 0 ? peer.name : " ",
        i === 0 ? peer.liveness : " ",
        `IPv${way.family}`,
        way.encrypted && way.way !== "wireguard" ? `${way.way} in wireguard` : way.way,
        way.to,
        way.link,
        way.mtu === 0 ? "" : String(way.mtu),
        i === 0 ? rtt(peer.probes) : " ",
        i === 0 ? loss(peer.probes) : " ",
        i === 0 ? peer.lastHandshake : " ",
        way.reason,
      ]),
    ),
    style,
    width,
  );

/** The median. */
export const rtt = (probes: Probes | undefined): string =>
  probes === undefined || probes.rttMedianUs === 0 ? "" : milliseconds(probes.rttMedianUs);

export const loss = (probes: Probes | undefined): string =>
  probes === undefined || probes.sent === 0 ? "" : percent(probes.lost, probes.sent);

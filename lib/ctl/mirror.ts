import { Admin, type Mirror } from "#proto/selvedge_pb.ts";
import { duration } from "./amount.ts";
import { shortId } from "./attachments.ts";
import { type Answer, type Ask, type Command, type Given, UsageError } from "./command.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { theOne } from "./the-one.ts";

const DEEDS = ["start", "list", "stop"] as const;
type Deed = (typeof DEEDS)[number];

export const mirror: Command = {
  summary: "Copies of a pod's traffic, for a limited time.",
  usage: "start|list|stop [NAME]",
  fewestWords: 1,
  mostWords: 2,
  choices: DEEDS,
  options: {
    to: { value: "TARGET", meaning: "start: link:NAME, vxlan:ADDRESS:VNI, gre:ADDRESS or erspan:ADDRESS:SESSION" },
    direction: { value: "in|out|both", meaning: "start: as seen from the pod (both)" },
    filter: { value: "FILTER", meaning: "start: such as 'tcp port 80' or 'src host 10.1.0.5' (everything)" },
    for: { value: "TIME", meaning: "start: such as 90s, 10m or 24h, which is the longest (1h)" },
    interface: { value: "NAME", meaning: "start: which of the attachment's interfaces (its own)" },
  },
  run(ask, given) {
    const deed = given.words[0] as Deed;
    const [, name] = given.words;
    if (deed === "list" ? name !== undefined : name === undefined)
      throw new UsageError(
        deed === "list"
          ? "`selvedgectl mirror list` takes no argument"
          : `\`selvedgectl mirror ${deed}\` needs ${deed === "start" ? "an attachment" : "the name of a mirror"}`,
      );
    return run[deed](ask, given);
  },
};

const run = {
  async start(ask, { words: [, wanted = ""], value }) {
    if (value("to") === "") throw new UsageError("`selvedgectl mirror start` needs --to TARGET");
    const seconds = secondsOf(value("for"));
    const { attachments } = await ask(Admin.listAttachments, {});
    const { containerId, ifname } = theOne(wanted, attachments);
    const made = await ask(Admin.startMirror, {
      key: { containerId, ifname: value("interface") || ifname },
      to: value("to"),
      direction: value("direction"),
      filter: value("filter"),
      seconds,
    });
    return { json: made, lines: (style, width) => mirrorTable([made], style, width) };
  },
  async list(ask) {
    const list = await ask(Admin.listMirrors, {});
    return {
      json: list,
      lines: (style, width) => (list.mirrors.length === 0 ? ["no mirrors"] : mirrorTable(list.mirrors, style, width)),
    };
  },
  async stop(ask, { words: [, id = ""] }) {
    const ended = await ask(Admin.stopMirror, { id });
    return { json: ended, lines: () => [`${ended.id} ended`] };
  },
} as const satisfies Record<Deed, (ask: Ask, given: Given) => Promise<Answer>>;

const SECONDS = { s: 1, m: 60, h: 3_600 } as const;

/** 0 where nothing is said: the daemon knows what is usual, and what is too long. */
function secondsOf(text: string): number {
  if (text === "") return 0;
  const [, digits, unit = "s"] = /^(\d{1,6})([smh]?)$/.exec(text) ?? [];
  const seconds = Number(digits) * SECONDS[(unit || "s") as keyof typeof SECONDS];
  if (!(seconds > 0)) throw new UsageError(`--for: "${text}" is not a time such as 90s, 10m or 2h`);
  return seconds;
}

const mirrorTable = (list: readonly Mirror[], style: Style, width: number): string[] =>
  table(
    [
      { heading: "MIRROR" },
      { heading: "CONTAINER" },
      { heading: "IFNAME" },
      { heading: "POD", cut: true },
      { heading: "DIRECTION" },
      { heading: "TO" },
      { heading: "FILTER", cut: true },
      { heading: "ENDS IN", right: true },
    ],
    list.map((each) => [
      each.id,
      shortId(each.key?.containerId ?? ""),
      each.key?.ifname ?? "",
      each.pod,
      each.direction,
      each.to,
      each.filter || "everything",
      duration(each.leftMs),
    ]),
    style,
    width,
  );

import { Admin } from "#proto/selvedge_pb.ts";
import { counted } from "./amount.ts";
import { attachmentTable } from "./attachments.ts";
import type { Command } from "./command.ts";

export const gc: Command = {
  summary: "Removes attachments whose network namespace is gone.",
  usage: "",
  fewestWords: 0,
  mostWords: 0,
  choices: [],
  options: { "dry-run": { meaning: "list them, and remove nothing" } },
  async run(ask, { flag }) {
    const dryRun = flag("dry-run");
    const list = await ask(Admin.collectGarbage, { dryRun });
    const what = dryRun ? "would be removed" : "removed";
    return {
      json: list,
      lines: (style, width) =>
        list.attachments.length === 0
          ? ["nothing to collect"]
          : [
              ...attachmentTable(list.attachments, style, width),
              "",
              `${counted(list.attachments.length, "attachment")} ${what}`,
            ],
    };
  },
};

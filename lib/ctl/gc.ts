import { Admin } from "#proto/selvedge_pb.ts";
import { counted } from "./amount.ts";
import { attachmentTable } from "./attachments.ts";
import { type Command, WORDLESS } from "./command.ts";

export const gc: Command = {
  ...WORDLESS,
  summary: "Removes attachments whose network namespace is gone.",
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

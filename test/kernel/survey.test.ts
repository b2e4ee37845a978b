import { execFileSync } from "node:child_process";
import { expect } from "@jest/globals";
import { survey } from "#lib/kernel/survey.ts";
import { needing } from "../support/requirement.ts";

const nft = (text: string) => execFileSync("nft", ["-f", "-"], { input: text });

needing("root", { program: "nft" })("chains of others that drop what is forwarded are told, ours are not", async () => {
  const drops = "{ type filter hook forward priority 0; policy drop; }";
  try {
    for (const [table, chain] of [
      ["ip filter", "FORWARD"],
      ["inet selvedge", "forward"],
      ["inet guard", "forward"],
    ])
      nft(`add table ${table}\nadd chain ${table} ${chain} ${drops}`);
    nft("add chain inet guard input { type filter hook input priority 0; policy drop; }");
    expect((await survey("/nowhere")).dropping).toEqual(["ip filter FORWARD", "inet guard forward"]);
  } finally {
    nft("flush ruleset");
  }
});

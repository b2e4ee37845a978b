import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { secretFrom } from "./secret.ts";

test("a secret is the first line of a file, or a variable; without one the place is named", async () => {
  const directory = mkdtempSync(join(tmpdir(), "selvedge-secret-"));
  const file = join(directory, "key");
  try {
    writeFileSync(file, "s3cret key\nanother line\n");
    expect(await secretFrom({ file }, { environment: {} })).toBe("s3cret key");
    expect(await secretFrom({ environment: "EDGE1_KEY" }, { environment: { EDGE1_KEY: "other" } })).toBe("other");
    writeFileSync(file, "\nsecond\n");
    await expect(secretFrom({ file }, { environment: {} })).rejects.toThrow(`${file} has an empty first line`);
    rmSync(file);
    await expect(secretFrom({ file }, { environment: {} })).rejects.toThrow(file);
    await expect(secretFrom({ environment: "EDGE1_KEY" }, { environment: {} })).rejects.toThrow("no EDGE1_KEY");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

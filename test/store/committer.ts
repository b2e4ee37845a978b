/** Commits one entry after another for ever, and says the number of each on standard output when it is durable. */
import { writeSync } from "node:fs";
import { sqlite } from "#lib/store/sqlite.ts";

const [file = "", from = "0"] = process.argv.slice(2);
const store = await sqlite(file);
for (let i = Number(from); ; i++) {
  await store.commit([
    { put: "replayed", name: `${i}`, atMs: i },
    { put: "pool", value: { name: "last", pool: `${i}` } },
  ]);
  writeSync(1, `${i}\n`);
}

/** Waiting for what comes behind a call. */
import { setTimeout as sleep } from "node:timers/promises";

/** Namespaces die, and events come, behind the call: tries for three seconds. @throws whatever the last try threw */
export async function eventually(check: () => void | Promise<void>): Promise<void> {
  for (const end = performance.now() + 3_000; ; await sleep(20)) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

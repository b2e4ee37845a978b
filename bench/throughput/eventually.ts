import { setTimeout as sleep } from "node:timers/promises";

const LIMIT_MS = 20_000;

/** Tries until it succeeds, for twenty seconds. @throws what `attempt` throws last */
export async function eventually<T>(attempt: () => T): Promise<T> {
  for (const giveUpMs = performance.now() + LIMIT_MS; ; await sleep(200)) {
    try {
      return attempt();
    } catch (error) {
      if (performance.now() > giveUpMs) throw error;
    }
  }
}

/** A speaker in memory: for tests. */
import type { Session } from "./sessions.ts";
import type { Speaker } from "./speaker.ts";

export interface FakeSpeaker extends Speaker {
  /** What it says; undefined: it does not run. */
  readonly text: string | undefined;
  /** What `sessions` answers while it runs. */
  established: readonly Session[];
  /** Thrown by what is asked next, until it is taken away. */
  trouble: Error | undefined;
}

export function fakeSpeaker(): FakeSpeaker {
  let text: string | undefined;
  const asked = (): void => {
    if (self.trouble !== undefined) throw self.trouble;
  };
  const self: FakeSpeaker = {
    get text() {
      return text;
    },
    established: [],
    trouble: undefined,
    async follow(wanted) {
      asked();
      const isNew = text !== wanted;
      text = wanted;
      return isNew;
    },
    async isRunning() {
      asked();
      return text !== undefined;
    },
    async sessions() {
      asked();
      return text === undefined ? [] : self.established;
    },
    async cease() {
      asked();
      text = undefined;
    },
  };
  return self;
}

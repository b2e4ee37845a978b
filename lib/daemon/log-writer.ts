/** Writes events as JSON lines through pino: `{"level":"info","time":"…","event":"attached",…}`. */
import pino, { type DestinationStream } from "pino";
import { LEVEL, type Log } from "#lib/log.ts";

/**
 * Events below `level` are dropped. Times are ISO 8601 in UTC. `to` is standard error unless a test says otherwise;
 * it is written synchronously, so that the last line before a crash is there.
 */
export function logWriter(level: "debug" | "info" | "warn" | "error", to?: DestinationStream): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    to ?? pino.destination({ fd: 2, sync: true }),
  );
  return (event) => logger[LEVEL[event.event]](event);
}

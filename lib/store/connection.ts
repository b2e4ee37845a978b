/** Whether a store is reached, as whoever watches it is told. */
import type { SelvedgeError } from "#lib/errors.ts";

export type OnConnection = (connected: boolean, why?: SelvedgeError) => void;

/** Tells when it is another than before, until the signal. */
export function onlyChanges(onConnection: OnConnection, signal: AbortSignal): OnConnection {
  let isConnected: boolean | undefined;
  return (now, why) => {
    if (isConnected === now || signal.aborted) return;
    isConnected = now;
    if (why === undefined) onConnection(now);
    else onConnection(now, why);
  };
}

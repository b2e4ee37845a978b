/** `selvedgectl edge doctor`: what this node's FRR has with a router. */
import type { Address } from "#lib/address.ts";
import type { Session } from "#lib/frr/sessions.ts";
import { Finding } from "#proto/selvedge_pb.ts";

/** @param trouble why FRR does not say what it should */
export function examineSessions(
  called: readonly Address[],
  sessions: ReadonlyMap<Address, Session>,
  trouble: string | undefined,
): Finding[] {
  if (called.length === 0) return [];
  const has = called.flatMap((address) => sessions.get(address) ?? []);
  const failing =
    trouble === undefined
      ? []
      : [
          Finding.of({
            check: "speaker",
            level: "problem",
            message: trouble,
            remedy: "Routes to this node's pods are not told.",
          }),
        ];
  if (has.length === 0)
    return failing.length > 0
      ? failing
      : [
          Finding.of({
            check: "session",
            level: "problem",
            message: "FRR on this node has no session with it",
            remedy: "",
          }),
        ];
  return [
    ...failing,
    ...has.map(({ address, state, upMs, received, sent }) =>
      state === "Established"
        ? Finding.of({
            check: "session",
            level: "ok",
            message: `BGP with ${address} is up for ${Math.round(upMs / 1_000)} s; ${sent} prefixes told, ${received} heard`,
          })
        : Finding.of({
            check: "session",
            level: "problem",
            message: `BGP with ${address} is not up: ${state}`,
            remedy: "Do AS numbers, addresses and password agree, and does TCP port 179 pass?",
          }),
    ),
  ];
}

/** What the probes to one address of another node have told: round trips and losses of the newest, nothing older. */

export interface Probing {
  /** A probe has gone out. Nonces are unique. */
  sent(nonce: bigint, atUs: number): void;
  /** @returns false for an answer to no probe that is waited for: too late, or made up */
  answered(nonce: bigint, atUs: number): boolean;
  report(nowUs: number): ProbeReport;
}

export interface ProbeReport {
  /** Of the window, and had their time. */
  readonly sent: number;
  readonly lost: number;
  /** Without an answer since the last that was answered, or since the beginning. */
  readonly lostInARow: number;
  /** Of the newest answer, and the median and the longest of the window, microseconds. Absent without an answer in it. */
  readonly rttUs?: { readonly last: number; readonly median: number; readonly longest: number };
}

interface Probe {
  readonly nonce: bigint;
  readonly sentUs: number;
  rttUs?: number;
}

/** @param patienceUs an answer that takes longer is none */
export function probing({ window, patienceUs }: { window: number; patienceUs: number }): Probing {
  /** In the order in which they went out. */
  const probes: Probe[] = [];
  let lostInARow = 0;

  return {
    sent(nonce, atUs) {
      probes.push({ nonce, sentUs: atUs });
      if (probes.length <= window) return;
      const [oldest] = probes.splice(0, 1);
      lostInARow = oldest?.rttUs === undefined ? lostInARow + 1 : 0;
    },
    answered(nonce, atUs) {
      const probe = probes.findLast((each) => each.nonce === nonce);
      if (probe === undefined || probe.rttUs !== undefined || atUs - probe.sentUs > patienceUs) return false;
      probe.rttUs = atUs - probe.sentUs;
      return true;
    },
    report(nowUs) {
      const due = probes.filter(({ rttUs, sentUs }) => rttUs !== undefined || nowUs - sentUs >= patienceUs);
      const rtts = due.flatMap(({ rttUs }) => rttUs ?? []);
      const last = rtts.at(-1);
      const lastAnswered = due.findLastIndex(({ rttUs }) => rttUs !== undefined);
      const sorted = rtts.toSorted((a, b) => a - b);
      return {
        sent: due.length,
        lost: due.length - rtts.length,
        lostInARow: due.length - 1 - lastAnswered + (lastAnswered < 0 ? lostInARow : 0),
        ...(last === undefined
          ? {}
          : { rttUs: { last, median: sorted[sorted.length >> 1] ?? last, longest: sorted.at(-1) ?? last } }),
      };
    },
  };
}

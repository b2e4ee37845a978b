/** Requests with what may be answered to each, performed in one datagram. */
import { isFailure } from "#lib/errors.ts";
import { ERRNO, refused } from "#native/libc.ts";
import { writeSysctl } from "#native/namespace.ts";
import type { ErrorReport, Request } from "../netlink/message.ts";
import type { Place } from "./place.ts";

export interface Step {
  readonly request: Request;
  /** errnos that mean: it holds already. */
  readonly tolerate?: readonly number[];
  /** Link whose IPv6 the step needs turned on. */
  readonly ipv6?: string;
  /** Performed in place of the step when the answer is this errno. */
  readonly otherwise?: { readonly errno: number; readonly steps: () => readonly Step[] };
}

/** What the kernel answers when there is nothing left to take away. */
export const GONE: readonly number[] = [ERRNO.ENODEV, ERRNO.ENOENT, ERRNO.ESRCH, ERRNO.EADDRNOTAVAIL, ERRNO.ENXIO];

export interface Refusal {
  readonly step: Step;
  readonly error: ErrorReport;
}

/** The kernel's answer in a failed system call. @throws whatever is none */
export function errorOf(thrown: unknown): ErrorReport {
  if (!isFailure(thrown, "kernel")) throw thrown;
  return { code: thrown.failure.errno, text: undefined };
}

/** Performs all steps, and gives those that were refused and not tolerated. @throws SelvedgeError kernel */
export async function attempt(place: Place, steps: readonly Step[]): Promise<Refusal[]> {
  const replies = await place.run(steps.map((step) => step.request));
  return steps.flatMap((step, i) => {
    const error = replies[i]?.error;
    return error === undefined || step.tolerate?.includes(error.code) === true ? [] : [{ step, error }];
  });
}

/** Performs all steps. @throws SelvedgeError kernel, of the first that is refused */
export async function perform(place: Place, steps: readonly Step[]): Promise<void> {
  await settle(place, await attempt(place, steps));
}

/**
 * Deals with refusals: IPv6 that is off in the namespace is turned on and the refused steps tried once more; a step
 * that names another way takes it. @throws SelvedgeError kernel, of the first for which there is no way
 */
export async function settle(place: Place, refusals: readonly Refusal[]): Promise<void> {
  const links = new Set(refusals.flatMap(({ step, error }) => (error.code === ERRNO.EACCES ? (step.ipv6 ?? []) : [])));
  const rest = links.size === 0 ? refusals : await againWithIpv6(place, links, refusals);
  for (const { step, error } of rest) {
    if (step.otherwise?.errno !== error.code) throw refused(step.request.what, error.code, error.text);
    await perform(place, step.otherwise.steps());
  }
}

async function againWithIpv6(place: Place, links: ReadonlySet<string>, refusals: readonly Refusal[]) {
  for (const link of new Set(["lo", ...links])) writeSysctl(place.netns, `net/ipv6/conf/${link}/disable_ipv6`, "0");
  return attempt(
    place,
    refusals.map(({ step }) => step),
  );
}

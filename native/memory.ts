/** How little memory the process keeps: of glibc's allocator, of V8's heap, and of its own program. */
import { readFileSync, readlinkSync } from "node:fs";
import { bind } from "./libc.ts";

/** asm-generic/mman-common.h (v6.12) */
const MADV_DONTNEED = 4;
/** malloc.h */
const M_TRIM_THRESHOLD = -1;
const M_ARENA_MAX = -8;

const mallopt = bind("int mallopt(int param, int value)");
const madvise = bind("int madvise(uint64_t address, size_t length, int advice)");

/**
 * Every thread that allocates gets an arena of its own, and what it frees stays there. Two arenas serve a process whose
 * threads seldom allocate at the same time, and free memory goes back to the kernel (mallopt(3)).
 */
export function keepLittle(): void {
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

/**
 * Collects all garbage now, and gives back what it took: after the start, whose garbage would stay for a minute, and make
 * the heap grow meanwhile. With 150,000 pods it takes 0.4 s and gives back 60 MiB. Nothing where V8 was not told to let
 * us (--expose-gc).
 */
export const collectGarbage = (): void =>
  void globalThis.gc?.({ type: "major", flavor: "last-resort", execution: "sync" });

/**
 * Gives back the pages of the program's file that it has read so far: half of what a daemon is after its start, and most
 * of it served the start alone. What is needed again is mapped again from the page cache. A mapping that holds a page of
 * our own (relocated data) is left as it is.
 * @returns bytes that are resident no more
 */
export function giveBackProgram(): number {
  const program = readlinkSync("/proc/self/exe");
  let bytes = 0;
  for (const { from, to, path, rights, residentKib, anonymousKib } of mappings()) {
    if (path !== program || rights.includes("w") || anonymousKib > 0) continue;
    if (madvise(from, to - from, MADV_DONTNEED) === 0) bytes += residentKib * 1024;
  }
  return bytes;
}

interface Mapping {
  readonly from: bigint;
  readonly to: bigint;
  readonly rights: string;
  readonly path: string;
  readonly residentKib: number;
  readonly anonymousKib: number;
}

/** proc_pid_smaps(5): a line with the range, then one for each figure. Nothing where the kernel does not tell (CONFIG_PROC_PAGE_MONITOR). */
function* mappings(): Generator<Mapping> {
  let text = "";
  try {
    text = readFileSync("/proc/self/smaps", "utf8");
  } catch {
    return;
  }
  for (const part of text.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const [, from, to, rights = "", path = ""] = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/m.exec(part) ?? [];
    if (from === undefined || to === undefined) continue;
    const figure = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(part)?.[1] ?? 0);
    yield {
      from: BigInt(`0x${from}`),
      to: BigInt(`0x${to}`),
      rights,
      path,
      residentKib: figure("Rss"),
      anonymousKib: figure("Anonymous"),
    };
  }
}

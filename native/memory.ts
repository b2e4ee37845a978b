/** How glibc's allocator keeps memory. */
import { bind } from "./libc.ts";

/** malloc.h */
const M_TRIM_THRESHOLD = -1;
const M_ARENA_MAX = -8;

const mallopt = bind("int mallopt(int param, int value)");

/**
 * Every thread that allocates gets an arena of its own, and what it frees stays there. Two arenas serve a process whose
 * threads seldom allocate at the same time, and free memory goes back to the kernel (mallopt(3)).
 */
export function keepLittle(): void {
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

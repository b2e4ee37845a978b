/**
 * Ifindexes that we choose ourselves, so that one datagram can make a link and everything on it. They begin at a
 * place of chance, high above the kernel's own, and are tried again when taken.
 */
const FIRST = 100_000;
const COUNT = 8_000_000;

/** `random`: from 0 up to 1. */
export function indexes(random: () => number): () => number {
  let next = Math.floor(random() * COUNT);
  return () => {
    next = (next + 1) % COUNT;
    return FIRST + next;
  };
}

/** Which pages to have at hand, the most urgent first. Pure; pages are numbered from 1. */
const AHEAD = 3;
const BEHIND = 1;

/** Those that are shown, then the next ones, then the one before. */
export function pagesAtHand(shown: readonly number[], count: number): number[] {
  const first = Math.min(...shown);
  const last = Math.max(...shown);
  const ahead = Array.from({ length: AHEAD }, (_, i) => last + 1 + i);
  const behind = Array.from({ length: BEHIND }, (_, i) => first - 1 - i);
  return [...shown, ...ahead, ...behind].filter((page) => page >= 1 && page <= count);
}

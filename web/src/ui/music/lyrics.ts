/** Which line is sung now. */
import type { Lyrics, LyricsLine } from '../../api/types';

/** The place of the last line that has begun; -1 before the first. Lines are in the order of their times. */
export function lineAt(lines: readonly LyricsLine[], ms: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle]!.start_ms ?? 0) <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Those to show: with times before without, as the node orders them. Lines in the order of their times. */
export function shown(all: readonly Lyrics[]): Lyrics | null {
  const first = all[0];
  if (!first?.synced) return first ?? null;
  return { ...first, lines: [...first.lines].sort((a, b) => (a.start_ms ?? 0) - (b.start_ms ?? 0)) };
}

/** Which pages stand together. Pure; pages are numbered from 1. */

/** Pixels; null where they are not known. */
export interface PageSize {
  width: number | null;
  height: number | null;
}

/** Two pages drawn as one. */
export function isWide({ width, height }: PageSize): boolean {
  return width !== null && height !== null && width > height;
}

/** Pages in reading order. In `double`, the cover and wide pages stand alone, and what follows them pairs anew. */
export function spreadsOf(pages: readonly PageSize[], double: boolean): number[][] {
  const spreads: number[][] = [];
  for (let at = 0; at < pages.length;) {
    const page = pages[at]!;
    const next = pages[at + 1];
    const pairs = double && at > 0 && next !== undefined && !isWide(page) && !isWide(next);
    spreads.push(pairs ? [at + 1, at + 2] : [at + 1]);
    at += pairs ? 2 : 1;
  }
  return spreads;
}

/** Place of the spread that shows `page`; the nearest where there is no such page. */
export function spreadAt(spreads: readonly number[][], page: number): number {
  let [low, high] = [0, Math.max(0, spreads.length - 1)];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spreads[middle]!.at(-1)! < page) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A spread as it lies on the table, from left to right. */
export function fromLeft(spread: readonly number[], direction: 'ltr' | 'rtl'): number[] {
  return direction === 'rtl' ? spread.toReversed() : [...spread];
}

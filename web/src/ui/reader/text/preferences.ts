/** How a person reads text on this device. What storage gives back is not trusted. */
export const TEXT_SIZES = [80, 90, 100, 115, 130, 150, 180] as const;
export const PAPERS = ['dark', 'sepia', 'white'] as const;
export type Paper = (typeof PAPERS)[number];

export interface TextManner {
  /** Percent. */
  size: number;
  paper: Paper;
}

const KEY = 'potluck.reader.text';

export function textManner(): TextManner {
  let kept: Partial<TextManner> | null = null;
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Partial<TextManner> | null;
  } catch {
    // As if nothing had been kept.
  }
  return {
    size: TEXT_SIZES.find((size) => size === kept?.size) ?? 100,
    paper: PAPERS.find((paper) => paper === kept?.paper) ?? 'dark',
  };
}

export function keepTextManner(manner: TextManner): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(manner));
  } catch {
    // A full or forbidden storage forgets; nothing else suffers.
  }
}

/** The next larger or smaller size; 0 is the usual one. */
export function sizeBeside(size: number, by: 1 | -1 | 0): number {
  if (by === 0) return 100;
  const at = TEXT_SIZES.findIndex((one) => one === size);
  return TEXT_SIZES[Math.min(TEXT_SIZES.length - 1, Math.max(0, at + by))] ?? 100;
}

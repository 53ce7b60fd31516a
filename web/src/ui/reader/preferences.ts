/** How a person reads each series on this device. What storage gives back is not trusted. */
import type { BookDirection } from '../../api/types';
import type { Fit } from './strip';

export const MODES = ['single', 'double', 'vertical', 'webtoon'] as const;
export type Mode = (typeof MODES)[number];
export const FITS = ['screen', 'width', 'height', 'original'] as const satisfies readonly Fit[];

export interface Manner {
  mode: Mode;
  direction: 'ltr' | 'rtl';
  fit: Fit;
}

const KEY = 'potluck.reader';
/** Series remembered; the one longest untouched is forgotten first. */
const SERIES_MAX = 200;

type Kept = Record<string, Partial<Manner>>;

/** What was chosen for a series; where nothing was, what the book itself asks for. */
export function mannerOf(series: string, book: BookDirection | null): Manner {
  const chosen = kept()[series] ?? {};
  const own = ownManner(book);
  return {
    mode: MODES.find((mode) => mode === chosen.mode) ?? own.mode,
    direction: chosen.direction === 'ltr' || chosen.direction === 'rtl' ? chosen.direction : own.direction,
    fit: FITS.find((fit) => fit === chosen.fit) ?? own.fit,
  };
}

export function keepManner(series: string, chosen: Partial<Manner>): void {
  const { [series]: before, ...others } = kept();
  const newest = Object.entries(others).slice(-(SERIES_MAX - 1));
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...Object.fromEntries(newest), [series]: { ...before, ...chosen } }));
  } catch {
    // A full or forbidden storage forgets; nothing else suffers.
  }
}

function ownManner(book: BookDirection | null): Manner {
  const mode = book === 'vertical' || book === 'webtoon' ? book : 'single';
  return { mode, direction: book === 'rtl' ? 'rtl' : 'ltr', fit: mode === 'vertical' ? 'width' : 'screen' };
}

function kept(): Kept {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter(([, one]) => typeof one === 'object' && one !== null));
  } catch {
    return {};
  }
}

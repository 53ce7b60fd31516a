/** The arithmetic of pages under each other, of which only those near the window exist. Pure; pixels, pages from 1. */
import type { PageSize } from './spreads';

export type Fit = 'screen' | 'width' | 'height' | 'original';

/** Where each page lies; `tops` and `sizes` are by place, from 0. */
export interface Strip {
  tops: number[];
  sizes: { width: number; height: number }[];
  /** Of the widest page. */
  width: number;
  height: number;
}

/** A place in a page, which stays the same when pages change their size. */
export interface Anchor {
  page: number;
  /** 0 at the page's top, 1 at its foot. */
  share: number;
}

export interface Look {
  view: { width: number; height: number };
  fit: Fit;
  /** Pages touch each other and are no wider than a column. */
  webtoon: boolean;
  zoom: number;
}

const COLUMN = 760;
const GAP = 16;
/** Height by width of a page whose size is not known. */
const ASSUMED = 1.5;

export function stripOf(pages: readonly PageSize[], look: Look): Strip {
  const gap = look.webtoon ? 0 : GAP;
  const sizes = pages.map((page) => sizeOf(page, look));
  const tops: number[] = [];
  let height = 0;
  for (const size of sizes) {
    tops.push(height);
    height += size.height + gap;
  }
  const width = sizes.reduce((widest, size) => Math.max(widest, size.width), 0);
  return { tops, sizes, width, height: Math.max(0, height - gap) };
}

function sizeOf(page: PageSize, { view, fit, webtoon, zoom }: Look): { width: number; height: number } {
  const ratio = page.width && page.height ? page.height / page.width : ASSUMED;
  const whole = Math.min(view.width, view.height / ratio);
  const widths: Record<Fit, number> = {
    screen: whole,
    width: view.width,
    height: view.height / ratio,
    original: page.width ?? view.width,
  };
  const width = Math.round((webtoon ? Math.min(view.width, COLUMN) : widths[fit]) * zoom);
  return { width, height: Math.round(width * ratio) };
}

/** The page that lies at an offset; in a gap, the one before it. */
export function pageAt({ tops }: Strip, offset: number): number {
  let [low, high] = [0, tops.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tops[middle]! <= offset) low = middle + 1;
    else high = middle;
  }
  return Math.max(1, low);
}

/** Pages that touch the window between two offsets: the first and the last. */
export function inWindow(strip: Strip, top: number, bottom: number): [number, number] {
  return [pageAt(strip, top), pageAt(strip, Math.max(top, bottom - 1))];
}

export function anchorAt(strip: Strip, offset: number): Anchor {
  const page = pageAt(strip, offset);
  const height = strip.sizes[page - 1]?.height ?? 0;
  const into = offset - (strip.tops[page - 1] ?? 0);
  return { page, share: height > 0 ? Math.min(1, Math.max(0, into / height)) : 0 };
}

export function offsetOf(strip: Strip, { page, share }: Anchor): number {
  const at = Math.min(strip.tops.length, Math.max(1, page)) - 1;
  return (strip.tops[at] ?? 0) + (strip.sizes[at]?.height ?? 0) * share;
}

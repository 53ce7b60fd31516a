/** Pictures for the seek bar: which part of which sprite belongs to a time. Nothing is shown where there are none. */
import { api } from '../../api/client';
import type { Thumbnails } from '../../api/types';

/** A picture in a sprite, in pixels of the sprite. */
export interface Thumbnail {
  url: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Asked again after this, then ever less often. */
const AGAIN_MS = 3000;
const AGAIN_LONGEST_MS = 30_000;

/** The picture for `time`; null where it is not there (yet). */
export function thumbnailAt(all: Thumbnails | null, time: number): Thumbnail | null {
  if (!all || !(all.interval > 0) || all.columns < 1 || all.rows < 1 || !(time >= 0)) return null;
  const n = Math.floor(time / all.interval);
  const each = all.columns * all.rows;
  const last = all.state === 'ready' ? all.sprites.length - 1 : Infinity;
  const url = all.sprites[Math.min(Math.floor(n / each), last)];
  if (!url) return null;
  const place = n % each;
  return {
    url,
    x: (place % all.columns) * all.width,
    y: Math.floor(place / all.columns) * all.height,
    width: all.width,
    height: all.height,
  };
}

/** Asks for them, and again while they are being made; the result stops that. Failing is quiet: a film plays without. */
export function followThumbnails(item: string, tell: (all: Thumbnails) => void): () => void {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = AGAIN_MS;
  const ask = async () => {
    const all = await api.thumbnails(item, abort.signal).catch(() => null);
    if (!all || abort.signal.aborted) return;
    if (all.state !== 'none') tell(all);
    if (all.state !== 'making') return;
    timer = setTimeout(() => void ask(), again);
    again = Math.min(again * 1.5, AGAIN_LONGEST_MS);
  };
  void ask();
  return () => {
    abort.abort();
    clearTimeout(timer);
  };
}

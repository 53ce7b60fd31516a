/** The rungs of a film's ladder as people choose them. Pure. */
import type { Quality } from './preferences';

/** One level of hls.js. */
export interface Rung {
  /** Index in hls.js. */
  level: number;
  /** Id of the rendition: `v0`, `v0-1080`. */
  rendition: string;
  /** The file's own picture, not encoded anew. */
  original: boolean;
  /** 2160, 1080, 720...: what people call it, also where a wide film has fewer lines. */
  lines: number;
  bitRate: number;
}

interface Level {
  uri: string;
  width: number;
  height: number;
  bitrate: number;
}

const SAVING_LINES = 720;

/** Id of the rendition whose playlist this is. */
export function renditionOf(url: string): string | null {
  return /\/hls\/([^/?#]+)\/index\.m3u8(?:[?#]|$)/.exec(url)?.[1] ?? null;
}

/** Best first. A rendition that hls.js lists twice, for two groups of sound, is one rung. */
export function rungsOf(levels: readonly Level[]): Rung[] {
  const rungs = levels.map(({ uri, width, height, bitrate }, level): Rung => {
    const rendition = renditionOf(uri) ?? `level ${level}`;
    const named = /^v\d+-(\d+)/.exec(rendition)?.[1];
    const lines = named ? Number(named) : linesOf(width, height);
    return { level, rendition, original: /^v\d+$/.test(rendition), lines, bitRate: bitrate };
  });
  const once = rungs.filter((rung, at) => rungs.findIndex(({ rendition }) => rendition === rung.rendition) === at);
  return once.sort((a, b) => Number(b.original) - Number(a.original) || b.lines - a.lines || b.bitRate - a.bitRate);
}

/** Wide films count by their width. */
function linesOf(width: number, height: number): number {
  const lines = Math.max(height, Math.round((width * 9) / 16));
  return [4320, 2160, 1440, 1080, 720, 576, 480, 360].find((name) => lines >= name * 0.92) ?? lines;
}

/** The rung for a wish; the nearest below where it is missing; `null` for automatic. */
export function rungFor(rungs: readonly Rung[], wish: Quality): Rung | null {
  if (wish === 'auto' || rungs.length === 0) return null;
  if (wish === 'original') return rungs.find(({ original }) => original) ?? rungs[0]!;
  const ladder = rungs.filter(({ original }) => !original);
  const from = ladder.length > 0 ? ladder : rungs;
  return (
    from.find(({ lines }) => lines === wish) ??
    from.find(({ lines }) => lines < wish) ??
    [...from].sort((a, b) => a.lines - b.lines)[0]!
  );
}

/** Number of the segment that plays at `time`, by a media playlist; null behind its end. */
export function segmentAt(playlist: string, time: number): number | null {
  let end = 0;
  let n = 0;
  for (const [, seconds] of playlist.matchAll(/^#EXTINF:([\d.]+)/gm)) {
    end += Number(seconds);
    if (time < end) return n;
    n += 1;
  }
  return null;
}

/** The wish that a rung stands for. */
export function wishOf(rung: Rung): Quality {
  return rung.original ? 'original' : rung.lines;
}

/** What bounds the automatic choice. */
export interface Bounds {
  saveData: boolean;
  /** A level that the node could not keep up with. */
  slow: number | null;
  /** Lines of a rung that the node may be asked for so far. */
  ceiling: number;
}

/**
 * Highest level that may be chosen automatically; -1 for any. Nothing above the original is: hls.js may sort a rung of
 * the same size over it, which would be transcoded in vain.
 */
export function capLevel(rungs: readonly Rung[], { saveData, slow, ceiling }: Bounds): number {
  const byLevel = [...rungs].sort((a, b) => a.level - b.level);
  const lowest = byLevel[0];
  if (!lowest) return -1;
  const original = byLevel.find((rung) => rung.original)?.level ?? Infinity;
  const allowed = byLevel.filter(
    (rung) =>
      rung.level <= original &&
      (rung.original || rung.lines <= ceiling) &&
      (!saveData || rung.lines <= SAVING_LINES) &&
      (slow === null || rung.level < slow),
  );
  if (allowed.length === byLevel.length) return -1;
  return (allowed.at(-1) ?? lowest).level;
}

/** Of the next rung above these lines; the same where there is none. */
export function linesAbove(rungs: readonly Rung[], lines: number): number {
  return rungs.findLast((rung) => !rung.original && rung.lines > lines)?.lines ?? lines;
}

/**
 * Notices a node that makes a rung slower than it plays. The first segment after a seek does not count: opening the
 * file and finding the place is no sign of the pace.
 */
export class Pace {
  private last: { level: number; sn: number } | null = null;
  private late = 0;

  /** A segment was made in `ms`; true if automatic choice should go below its rung. */
  made(level: number, sn: number, ms: number, seconds: number): boolean {
    const follows = this.last?.level === level && this.last.sn + 1 === sn;
    this.last = { level, sn };
    this.late = follows && ms > seconds * 1000 ? this.late + 1 : 0;
    if (this.late < 2) return false;
    this.late = 0;
    return true;
  }
}

/** The arithmetic of the seek bar and of resuming. Pure; seconds throughout. */
import type { Chapter, Progress } from '../../api/types';
import type { Source } from '../supply/meter';

export interface Piece {
  start: number;
  end: number;
  source: Source;
}

/** Two pieces closer than this are one to the eye. */
const JOIN_SECONDS = 0.3;

/** Colours what is buffered by who gave it. Newer pieces win over older ones; what nobody claims is `unknown`. */
export function paint(buffered: readonly (readonly [number, number])[], pieces: readonly Piece[]): Piece[] {
  const painted: Piece[] = [];
  for (const [from, to] of buffered) {
    const cuts = new Set([from, to]);
    for (const piece of pieces) {
      if (piece.start > from && piece.start < to) cuts.add(piece.start);
      if (piece.end > from && piece.end < to) cuts.add(piece.end);
    }
    const order = [...cuts].sort((a, b) => a - b);
    for (let i = 0; i + 1 < order.length; i += 1) {
      add(painted, { start: order[i]!, end: order[i + 1]!, source: sourceAt((order[i]! + order[i + 1]!) / 2, pieces) });
    }
  }
  return painted;
}

function sourceAt(time: number, pieces: readonly Piece[]): Source {
  return pieces.findLast((piece) => piece.start <= time && time < piece.end)?.source ?? 'unknown';
}

function add(painted: Piece[], piece: Piece): void {
  const last = painted.at(-1);
  // A sliver between two segments is rounding, not another source.
  if (last && piece.source === 'unknown' && piece.end - piece.start < JOIN_SECONDS && piece.start === last.end) {
    last.end = piece.end;
  } else if (last && last.source === piece.source && piece.start - last.end < JOIN_SECONDS) {
    last.end = piece.end;
  } else painted.push({ ...piece });
}

/** Seconds that can be played on from `time` without fetching. */
export function ahead(buffered: readonly (readonly [number, number])[], time: number): number {
  const range = buffered.find(([from, to]) => from - JOIN_SECONDS <= time && time <= to);
  return range ? Math.max(0, range[1] - time) : 0;
}

/** The chapter that plays at `time`. */
export function chapterAt(chapters: readonly Chapter[], time: number): { chapter: Chapter; index: number } | null {
  const index = chapters.findLastIndex((chapter) => chapter.start <= time);
  return index < 0 ? null : { chapter: chapters[index]!, index };
}

/** Below this, one begins anew: it was only a look. */
const RESUME_FROM_SECONDS = 5;
/** After this share a film is watched: the rest is credits. */
const COMPLETED_SHARE = 0.95;

/** Where to begin. `asked` is from the address and wins. */
export function startAt(asked: number | null, progress: Progress | null | undefined, duration: number): number {
  if (asked !== null) return duration > 0 ? Math.min(asked, Math.max(0, duration - 1)) : asked;
  if (!progress || progress.completed || progress.position < RESUME_FROM_SECONDS) return 0;
  return isCompleted(progress.position, duration) ? 0 : progress.position;
}

export function isCompleted(position: number, duration: number): boolean {
  return duration > 0 && position >= duration * COMPLETED_SHARE;
}

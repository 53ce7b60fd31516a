/**
 * Tells the node which page was read last: a moment after the last turn, and on leaving. A save that fails is not
 * repeated: the next one carries more.
 */
import { api } from '../../api/client';
import type { Progress, ProgressChange } from '../../api/types';

const REST_MS = 800;

type Save = (item: string, progress: ProgressChange, keepalive: boolean) => Promise<unknown>;

/** Where in a chapter that flows somebody is. */
export interface Spot {
  /** How much of it is above the window, from 0 to 1. */
  part: number;
  /** Its last words are in the window. */
  end: boolean;
}

interface Place {
  page: number;
  spot: Spot | undefined;
}

export class Saver {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waiting: Place | null = null;
  private saved: Place;

  /** `from` is what the node knows already: the page that was read last, 0 for none. */
  constructor(
    private readonly item: string,
    private readonly pages: number,
    from: number,
    private readonly save: Save = api.saveProgress,
  ) {
    this.saved = { page: from, spot: undefined };
  }

  /** `page` is seen: of a chapter that flows, this spot. */
  read(page: number, spot?: Spot): void {
    clearTimeout(this.timer);
    this.waiting = { page, spot };
    this.timer = setTimeout(() => this.now(), REST_MS);
  }

  /** What is not yet saved, at once. `leaving` lets the call outlive the page. */
  now(leaving = false): void {
    clearTimeout(this.timer);
    const place = this.waiting;
    this.waiting = null;
    if (place === null || same(place, this.saved)) return;
    this.saved = place;
    const { page, spot } = place;
    const completed = page >= this.pages && (spot?.end ?? true);
    const change = { position: page, completed, ...(spot && { part: spot.part }) };
    this.save(this.item, change, leaving).catch(() => {});
  }
}

function same(one: Place, other: Place): boolean {
  return one.page === other.page && one.spot?.part === other.spot?.part && one.spot?.end === other.spot?.end;
}

/** Where to begin: `asked` is from the address and wins; a book that was read begins anew. */
export function startPage(asked: number | null, progress: Progress | null | undefined, pages: number): number {
  const page = asked ?? (progress && !progress.completed ? progress.position : 1);
  return Math.min(Math.max(1, pages), Math.max(1, Math.round(page)));
}

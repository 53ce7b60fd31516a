/**
 * Tells the node which page was read last: a moment after the last turn, and on leaving. A save that fails is not
 * repeated: the next one carries more.
 */
import { api } from '../../api/client';
import type { Progress } from '../../api/types';

const REST_MS = 800;

type Save = (item: string, progress: Progress, keepalive: boolean) => Promise<unknown>;

export class Saver {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waiting: number | null = null;
  private saved: number;

  /** `from` is what the node knows already: the page that was read last, 0 for none. */
  constructor(
    private readonly item: string,
    private readonly pages: number,
    from: number,
    private readonly save: Save = api.saveProgress,
  ) {
    this.saved = from;
  }

  /** `page` is seen. */
  read(page: number): void {
    clearTimeout(this.timer);
    this.waiting = page;
    this.timer = setTimeout(() => this.now(), REST_MS);
  }

  /** What is not yet saved, at once. `leaving` lets the call outlive the page. */
  now(leaving = false): void {
    clearTimeout(this.timer);
    const page = this.waiting;
    this.waiting = null;
    if (page === null || page === this.saved) return;
    this.saved = page;
    this.save(this.item, { position: page, completed: page >= this.pages }, leaving).catch(() => {});
  }
}

/** Where to begin: `asked` is from the address and wins; a book that was read begins anew. */
export function startPage(asked: number | null, progress: Progress | null | undefined, pages: number): number {
  const page = asked ?? (progress && !progress.completed ? progress.position : 1);
  return Math.min(Math.max(1, pages), Math.max(1, Math.round(page)));
}

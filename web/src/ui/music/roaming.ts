/** The queue as the node keeps it for an account: what was heard at one device goes on at another, or in a program. */
import { api } from '../../api/client';
import type { PlayQueue } from '../../api/types';
import { filled, EMPTY, type Queue } from './queue';

/** A changed queue is told after this long, so that ten presses are one call. */
const SETTLE_MS = 2000;
/** Where one is in a track is told this often. */
const ALONG_MS = 30_000;
/** A call that outlives the page holds no more than this many ids. */
const LAST_WORDS_MAX = 1000;

/** What the node is told. */
function told({ entries, at }: Queue, position: number) {
  const items = entries.map(({ track }) => track.id);
  return { items, current: entries.length > 0 ? at : null, position_ms: Math.round(position * 1000) };
}

/** Tells the node of the queue, soon after it changed. */
export class Roaming {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private soon = false;
  private last = '';

  /** `look` gives the queue and the position, in seconds, when the time has come. */
  constructor(private readonly look: () => { queue: Queue; position: number }) {}

  /** What the node has already is not told again. */
  knows(queue: Queue, position: number): void {
    this.last = JSON.stringify(told(queue, position));
  }

  /** The queue changed; with `along`, music only went on in it. */
  changed(along = false): void {
    if (this.timer !== undefined && (along || this.soon)) return;
    clearTimeout(this.timer);
    this.soon = !along;
    this.timer = setTimeout(() => this.tell(false), along ? ALONG_MS : SETTLE_MS);
  }

  /** The page is left: what was not told yet is told now. */
  leave(): void {
    if (this.timer !== undefined) this.tell(true);
  }

  forget(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.last = '';
  }

  private tell(leaving: boolean): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { queue, position } = this.look();
    const words = told(queue, position);
    const text = JSON.stringify(words);
    if (text === this.last) return;
    this.last = text;
    // Where that fails, the queue is still kept in this browser.
    api.savePlayQueue(words, leaving && words.items.length <= LAST_WORDS_MAX).catch(() => (this.last = ''));
  }
}

/** The queue and position of what the node keeps. */
export function queueOf({ items, current, position_ms }: PlayQueue): { queue: Queue; position: number } {
  const queue = filled(EMPTY, items, current ?? 0, false, Math.random);
  return { queue, position: current == null ? 0 : position_ms / 1000 };
}

/** Whether the node's is another queue than this, changed after `keptAt` (Unix milliseconds): it is offered then. */
export function isNews(saved: PlayQueue, queue: Queue, keptAt: number): boolean {
  if (saved.items.length === 0) return false;
  if (queue.entries.length === 0) return true;
  const here = queue.entries.map(({ track }) => track.id).sort();
  const there = saved.items.map(({ id }) => id).sort();
  const same = here.length === there.length && here.every((id, i) => id === there[i]);
  const place = saved.items[saved.current ?? 0]?.id === queue.entries[queue.at]?.track.id;
  return saved.changed_at > keptAt && !(same && place);
}

/** What playback waits for right now and why, so that nobody looks at a spinner that says nothing. */
import type { Place } from './hls-loader.ts';

export interface Wait {
  place: Place;
  /** `making`: the node was asked for the segment. `busy`: it has no free slot. `failed`: it failed, and is asked again. */
  why: 'making' | 'busy' | 'failed';
  /** `Date.now()` when it began. */
  since: number;
  /** `Date.now()` at which it is asked again; null while an answer is awaited. */
  until: number | null;
  /** What the node said. */
  message: string | null;
}

export class Waits {
  readonly #waits = new Map<object, Wait>();
  readonly #listeners = new Set<(waits: Wait[]) => void>();

  /** Calls `listener` now and after every change; the result stops that. */
  subscribe(listener: (waits: Wait[]) => void): () => void {
    this.#listeners.add(listener);
    listener(this.all());
    return () => this.#listeners.delete(listener);
  }

  all(): Wait[] {
    return [...this.#waits.values()];
  }

  /** `who` waits, until it says otherwise or is done. What it waited for before is over; the time runs on. */
  set(who: object, wait: Omit<Wait, 'since'>): void {
    this.#waits.set(who, { ...wait, since: this.#waits.get(who)?.since ?? Date.now() });
    this.#tell();
  }

  done(who: object): void {
    if (this.#waits.delete(who)) this.#tell();
  }

  #tell(): void {
    const all = this.all();
    for (const listener of [...this.#listeners]) listener(all);
  }
}

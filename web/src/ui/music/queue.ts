/**
 * What is heard, and what after it. Pure: every change gives a new queue. An entry's `place` is where it belongs when
 * nothing is shuffled, so that shuffling can be taken back; its `key` is its own, as a track may stand in it twice.
 */
import type { ItemSummary } from '../../api/types';

/** What is shown of a track in the queue, and enough to play it. */
export type Track = Pick<ItemSummary, 'id' | 'title' | 'artist' | 'show' | 'show_title' | 'poster' | 'duration'>;

export type Repeat = 'off' | 'all' | 'one';

export interface Entry {
  key: number;
  place: number;
  track: Track;
}

export interface Queue {
  entries: Entry[];
  /** Index of what is heard now; 0 where there is nothing. */
  at: number;
  repeat: Repeat;
  shuffled: boolean;
}

/** More than this are not taken: it would not fit into what a browser keeps. */
export const QUEUE_MAX = 2000;

export const EMPTY: Queue = { entries: [], at: 0, repeat: 'off', shuffled: false };

/** Tells where chance is: from 0 to below 1. */
export type Chance = () => number;

export function current({ entries, at }: Queue): Entry | null {
  return entries[at] ?? null;
}

/** A queue of these tracks, from the one at `first` on. Shuffled, that one is heard first all the same. */
export function filled(before: Queue, tracks: Track[], first: number, shuffled: boolean, chance: Chance): Queue {
  const from = Math.max(0, Math.min(first, tracks.length - 1) - QUEUE_MAX + 1);
  const taken = tracks.slice(from, from + QUEUE_MAX);
  const entries = taken.map((track, place) => ({ key: place, place, track: slim(track) }));
  const plain: Queue = { entries, at: Math.max(0, first - from), repeat: before.repeat, shuffled: false };
  return shuffled ? shuffle(plain, chance) : plain;
}

/** Puts tracks right after what is heard. */
export function insertNext(queue: Queue, tracks: Track[]): Queue {
  const taken = tracks.slice(0, QUEUE_MAX - queue.entries.length);
  const here = current(queue)?.place ?? 0;
  const later = queue.entries.map(({ place }) => place).filter((place) => place > here);
  const room = (later.length > 0 ? Math.min(...later) : here + taken.length + 1) - here;
  const made = added(queue, taken, (i) => here + (room * (i + 1)) / (taken.length + 1));
  const cut = queue.entries.length === 0 ? 0 : queue.at + 1;
  return { ...queue, entries: [...queue.entries.slice(0, cut), ...made, ...queue.entries.slice(cut)] };
}

/** Puts tracks at the end. */
export function append(queue: Queue, tracks: Track[]): Queue {
  const taken = tracks.slice(0, QUEUE_MAX - queue.entries.length);
  const last = Math.max(-1, ...queue.entries.map(({ place }) => place));
  const made = added(queue, taken, (i) => last + i + 1);
  return { ...queue, entries: [...queue.entries, ...made] };
}

/** Without one entry. Where that was the one heard, the next takes its place. */
export function without(queue: Queue, key: number): Queue {
  const gone = queue.entries.findIndex((entry) => entry.key === key);
  if (gone < 0) return queue;
  const entries = queue.entries.filter((entry) => entry.key !== key);
  const at = gone < queue.at ? queue.at - 1 : queue.at;
  return { ...queue, entries, at: Math.max(0, Math.min(at, entries.length - 1)) };
}

export function jumped(queue: Queue, key: number): Queue {
  const at = queue.entries.findIndex((entry) => entry.key === key);
  return at < 0 ? queue : { ...queue, at };
}

/** Where the music goes by itself when a track ends; null where it ends with it. */
export function following(queue: Queue): number | null {
  if (queue.entries.length === 0) return null;
  return queue.repeat === 'one' ? queue.at : skipped(queue);
}

/** Where somebody goes who wants the next track, whatever repeats; null at the end. */
export function skipped({ entries, at, repeat }: Queue): number | null {
  if (at + 1 < entries.length) return at + 1;
  return repeat === 'off' || entries.length === 0 ? null : 0;
}

/** The one before; from the first, the last where the queue repeats. */
export function preceding({ entries, at, repeat }: Queue): number {
  if (at > 0) return at - 1;
  return repeat === 'all' ? Math.max(0, entries.length - 1) : 0;
}

/** What is heard stays, and all others are mixed behind it. */
export function shuffle(queue: Queue, chance: Chance): Queue {
  const here = current(queue);
  if (!here) return { ...queue, shuffled: true };
  const others = queue.entries.filter((entry) => entry !== here);
  for (let i = others.length - 1; i > 0; i -= 1) {
    const j = Math.floor(chance() * (i + 1));
    [others[i], others[j]] = [others[j]!, others[i]!];
  }
  return { ...queue, entries: [here, ...others], at: 0, shuffled: true };
}

/** Back in order, and what is heard goes on. */
export function unshuffle(queue: Queue): Queue {
  const here = current(queue);
  const entries = [...queue.entries].sort((a, b) => a.place - b.place);
  return { ...queue, entries, at: here ? entries.indexOf(here) : 0, shuffled: false };
}

export function repeatAfter(repeat: Repeat): Repeat {
  return repeat === 'off' ? 'all' : repeat === 'all' ? 'one' : 'off';
}

function added(queue: Queue, tracks: Track[], place: (i: number) => number): Entry[] {
  const key = Math.max(-1, ...queue.entries.map((entry) => entry.key)) + 1;
  return tracks.map((track, i) => ({ key: key + i, place: place(i), track: slim(track) }));
}

function slim({ id, title, artist, show, show_title, poster, duration }: Track): Track {
  return { id, title, artist, show, show_title, poster, duration };
}

/** The queue as this browser keeps it for an account, from visit to visit. What storage gives back is not trusted. */
import { EMPTY, QUEUE_MAX, type Entry, type Queue, type Repeat, type Track } from './queue';

export interface Kept {
  queue: Queue;
  /** Seconds into what is heard. */
  position: number;
}

/** With the time at which it was kept, in Unix milliseconds; 0 where nothing was. */
export interface KeptThen extends Kept {
  at: number;
}

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const key = (account: string) => `potluck.music.${account}`;
const VOLUME = 'potluck.volume';

export function keep(account: string, { queue, position }: Kept, store: Store = localStorage): void {
  try {
    if (queue.entries.length === 0) store.removeItem(key(account));
    else
      store.setItem(key(account), JSON.stringify({ queue, position: Math.round(position * 10) / 10, at: Date.now() }));
  } catch {
    // A full or forbidden storage forgets; the music goes on.
  }
}

export function kept(account: string, store: Store = localStorage): KeptThen {
  const nothing = { queue: EMPTY, position: 0, at: 0 };
  try {
    const value = record(JSON.parse(store.getItem(key(account)) ?? 'null'));
    const queue = value && queueOf(value.queue);
    return queue ? { queue, position: number(value.position) ?? 0, at: number(value.at) ?? 0 } : nothing;
  } catch {
    return nothing;
  }
}

/** From 0 to 1. */
export function keepVolume(volume: number, store: Store = localStorage): void {
  try {
    store.setItem(VOLUME, String(volume));
  } catch {
    // As above.
  }
}

export function keptVolume(store: Store = localStorage): number {
  try {
    const value = Number(store.getItem(VOLUME) ?? '1');
    return value >= 0 && value <= 1 ? value : 1;
  } catch {
    return 1;
  }
}

function queueOf(value: unknown): Queue | null {
  const queue = record(value);
  if (!queue || !Array.isArray(queue.entries) || queue.entries.length > QUEUE_MAX) return null;
  const entries = queue.entries.map(entryOf).filter((entry) => entry !== null);
  const keys = new Set(entries.map((entry) => entry.key));
  if (entries.length !== queue.entries.length || keys.size !== entries.length || entries.length === 0) return null;
  const at = number(queue.at) ?? 0;
  const repeat = (['off', 'all', 'one'] as Repeat[]).find((one) => one === queue.repeat) ?? 'off';
  return {
    entries,
    at: Number.isInteger(at) && at < entries.length ? at : 0,
    repeat,
    shuffled: queue.shuffled === true,
  };
}

function entryOf(value: unknown): Entry | null {
  const entry = record(value);
  const track = entry && trackOf(entry.track);
  const [key, place] = [number(entry?.key), number(entry?.place)];
  return track && key !== null && place !== null ? { key, place, track } : null;
}

function trackOf(value: unknown): Track | null {
  const track = record(value);
  if (!track || typeof track.id !== 'string' || typeof track.title !== 'string') return null;
  const text = (one: unknown) => (typeof one === 'string' ? one : null);
  const poster = text(track.poster);
  return {
    id: track.id,
    title: track.title,
    artist: text(track.artist),
    show: text(track.show),
    show_title: text(track.show_title),
    poster: poster?.startsWith('/api/') ? poster : null,
    duration: number(track.duration),
  };
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

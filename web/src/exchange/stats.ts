/** Where the bytes come from, counted live: a store with Svelte's `subscribe` contract, but no framework. */
import type { Carrier, Source } from './carrier.ts';
import type { Clock } from './clock.ts';

export interface SourceStats {
  /** Verified payload bytes. */
  bytes: number;
  /** Bytes a second over the last two seconds. */
  speed: number;
}

export interface ExchangeStats {
  sources: Record<Source, SourceStats>;
  /** What of `friend` came from whose node: verified bytes by the friend's id. */
  friends: Record<string, number>;
  /** Blocks whose bytes hashed to their CID. */
  blocksVerified: number;
  /** Blocks that did not; their source was dropped. */
  blocksWrong: number;
  /** Requests that gave no answer and were made again elsewhere. */
  failures: number;
  webrtc: { state: 'off' | 'connecting' | 'open'; connections: number; roundTripMs: number | null };
  /** Where the last block came from. */
  current: Source | null;
}

export type ExchangeEvent =
  | { type: 'fallback'; from: Source; to: Source; reason: string }
  | { type: 'recovered'; source: Source }
  | { type: 'dropped'; source: Source; cid: string }
  | { type: 'block'; source: Source; friend?: string | undefined; cid: string; bytes: number; ms: number };

const WINDOW_MS = 2000;
const NOTIFY_MS = 200;
const SOURCES: Source[] = ['friend', 'viewer', 'webrtc', 'https'];

export class StatsStore {
  #clock: Clock;
  #bytes = new Map<Source, number>(SOURCES.map((source) => [source, 0]));
  #friends = new Map<string, number>();
  #recent: { at: number; source: Source; bytes: number }[] = [];
  #counts = { blocksVerified: 0, blocksWrong: 0, failures: 0 };
  #current: Source | null = null;
  #webrtc: () => ExchangeStats['webrtc'];
  #listeners = new Set<(stats: ExchangeStats) => void>();
  #events = new Set<(event: ExchangeEvent) => void>();
  #scheduled: (() => void) | undefined;

  constructor(clock: Clock, webrtc: () => ExchangeStats['webrtc']) {
    this.#clock = clock;
    this.#webrtc = webrtc;
  }

  /** Calls `listener` now and after every change, at most five times a second; the result stops that. */
  subscribe(listener: (stats: ExchangeStats) => void): () => void {
    this.#listeners.add(listener);
    listener(this.snapshot());
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` for every event as it happens; the result stops that. */
  onEvent(listener: (event: ExchangeEvent) => void): () => void {
    this.#events.add(listener);
    return () => this.#events.delete(listener);
  }

  snapshot(): ExchangeStats {
    this.#forget();
    const sources = Object.fromEntries(SOURCES.map((source) => [source, this.#of(source)]));
    return {
      sources: sources as ExchangeStats['sources'],
      friends: Object.fromEntries(this.#friends),
      ...this.#counts,
      webrtc: this.#webrtc(),
      current: this.#current,
    };
  }

  /** A block that came this way was right. */
  verified({ source, friend }: Pick<Carrier, 'source' | 'friend'>, cid: string, bytes: number, ms: number): void {
    if (friend) this.#friends.set(friend, (this.#friends.get(friend) ?? 0) + bytes);
    this.#bytes.set(source, (this.#bytes.get(source) ?? 0) + bytes);
    this.#recent.push({ at: this.#clock.now(), source, bytes });
    this.#counts.blocksVerified++;
    this.#current = source;
    this.#tell({ type: 'block', source, friend, cid, bytes, ms });
  }

  /** A block of `source` was not what its CID names. */
  wrong(source: Source, cid: string): void {
    this.#counts.blocksWrong++;
    this.#tell({ type: 'dropped', source, cid });
  }

  failed(): void {
    this.#counts.failures++;
    this.changed();
  }

  fallback(from: Source, to: Source, reason: string): void {
    this.#tell({ type: 'fallback', from, to, reason });
  }

  recovered(source: Source): void {
    this.#tell({ type: 'recovered', source });
  }

  /** Something that a snapshot shows may be different now. */
  changed(): void {
    if (this.#scheduled || this.#listeners.size === 0) return;
    this.#scheduled = this.#clock.after(NOTIFY_MS, () => {
      this.#scheduled = undefined;
      const stats = this.snapshot();
      for (const listener of [...this.#listeners]) listener(stats);
      // Speeds fall to zero with time alone.
      if (this.#recent.length > 0) this.changed();
    });
  }

  #tell(event: ExchangeEvent): void {
    for (const listener of [...this.#events]) listener(event);
    this.changed();
  }

  #of(source: Source): SourceStats {
    const recent = this.#recent.filter((entry) => entry.source === source);
    const speed = recent.reduce((sum, { bytes }) => sum + bytes, 0) / (WINDOW_MS / 1000);
    return { bytes: this.#bytes.get(source) ?? 0, speed };
  }

  #forget(): void {
    const oldest = this.#clock.now() - WINDOW_MS;
    this.#recent = this.#recent.filter(({ at }) => at > oldest);
  }
}

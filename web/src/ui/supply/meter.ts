/** Where the bytes of one film or book came from so far, and whether they were right. */
import type { Exchange, ExchangeStats } from '../../exchange';
import { switchWebRtc } from './shared';

/** Who gave a piece; `unknown` where the page cannot see it. */
export type Source = 'webrtc' | 'https' | 'friend' | 'viewer' | 'unknown';

export interface SupplyStats {
  /** Bytes by source name. */
  bytes: Record<string, number>;
  /** What of the friends' bytes came from whose node: by the friend's id. */
  friends: Record<string, number>;
  /** Bytes a second by source name, of the last few seconds. */
  rates: Record<string, number>;
  blocks: number;
  blocks_verified: number;
  blocks_failed: number;
}

export type WebRtcState = 'on' | 'off' | 'connecting' | 'failed';

/** What is shown of a supply. */
export interface Metered {
  stats(): SupplyStats;
  webrtc(): WebRtcState;
  useWebRtc(on: boolean): void;
}

/** WebRTC that is still connecting after this is told as not reachable; it goes on trying. */
const PATIENCE_MS = 5000;
/** Blocks whose source is remembered: more than any buffer holds. */
const REMEMBERED = 4096;

/** Counts from when it is made until it is closed. */
export class Meter implements Metered {
  private readonly before: ExchangeStats;
  private readonly sources = new Map<string, Source>();
  private readonly forget: () => void;
  private connectingSince: number | null = null;

  constructor(protected readonly exchange: Exchange) {
    this.before = exchange.snapshot();
    this.forget = exchange.onEvent((event) => {
      if (event.type === 'block') this.remember(event.cid, event.source);
    });
  }

  stats(): SupplyStats {
    const now = this.exchange.snapshot();
    const names = Object.keys(now.sources) as (keyof ExchangeStats['sources'])[];
    const friends = Object.entries(now.friends);
    const verified = now.blocksVerified - this.before.blocksVerified;
    const failed = now.blocksWrong - this.before.blocksWrong;
    return {
      bytes: Object.fromEntries(names.map((name) => [name, now.sources[name].bytes - this.before.sources[name].bytes])),
      friends: Object.fromEntries(friends.map(([id, count]) => [id, count - (this.before.friends[id] ?? 0)])),
      rates: Object.fromEntries(names.map((name) => [name, now.sources[name].speed])),
      blocks: verified + failed,
      blocks_verified: verified,
      blocks_failed: failed,
    };
  }

  webrtc(): WebRtcState {
    const { state } = this.exchange.snapshot().webrtc;
    if (state !== 'connecting') {
      this.connectingSince = null;
      return state === 'open' ? 'on' : 'off';
    }
    this.connectingSince ??= Date.now();
    return Date.now() - this.connectingSince > PATIENCE_MS ? 'failed' : 'connecting';
  }

  useWebRtc(on: boolean): void {
    switchWebRtc(this.exchange, on);
  }

  /** Who gave most of what these blocks make up. */
  mostOf(blocks: readonly { cid: string; size: number }[]): Source {
    const given = new Map<Source, number>();
    for (const { cid, size } of blocks) {
      const source = this.sources.get(cid) ?? 'unknown';
      given.set(source, (given.get(source) ?? 0) + size);
    }
    return [...given].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'unknown';
  }

  close(): void {
    this.forget();
  }

  private remember(cid: string, source: Source): void {
    this.sources.delete(cid);
    this.sources.set(cid, source);
    if (this.sources.size <= REMEMBERED) return;
    const oldest = this.sources.keys().next().value;
    if (oldest !== undefined) this.sources.delete(oldest);
  }
}

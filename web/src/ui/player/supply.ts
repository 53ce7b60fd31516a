/**
 * What the player needs to know of where its bytes come from. Filled in by the exchange; where a browser plays the
 * playlist by itself there is none.
 */
import type { HlsConfig } from 'hls.js';
import type { Source } from './timeline';

export interface SupplyStats {
  /** Media bytes by source name. */
  bytes: Record<string, number>;
  /** Bytes a second by source name, of the last few seconds. */
  rates: Record<string, number>;
  blocks: number;
  blocks_verified: number;
  blocks_failed: number;
}

export type WebRtcState = 'on' | 'off' | 'connecting' | 'failed';

export interface Supply {
  readonly loader: NonNullable<HlsConfig['fLoader']>;
  stats(): SupplyStats;
  webrtc(): WebRtcState;
  useWebRtc(on: boolean): void;
  /** Who gave most of a segment that was loaded, and its name. */
  describe(url: string): Promise<{ source: Source; cid: string | null }>;
  close(): void;
}

/**
 * What the player needs to know of where its bytes come from. Filled in by the exchange; where a browser plays the
 * playlist by itself there is none.
 */
import type { HlsConfig } from 'hls.js';
import type { Capabilities, ItemDetail, Renditions } from '../../api/types';
import type { Wait } from '../../exchange';
import type { Source } from './timeline';

export interface SupplyStats {
  /** Media bytes by source name. */
  bytes: Record<string, number>;
  /** What of the friends' bytes came from whose node: by the friend's id. */
  friends: Record<string, number>;
  /** Bytes a second by source name, of the last few seconds. */
  rates: Record<string, number>;
  blocks: number;
  blocks_verified: number;
  blocks_failed: number;
}

export interface Described {
  source: Source;
  cid: string | null;
  /** `copy`, `libx264`, `h264_qsv`... */
  encoder: string | null;
}

export type WebRtcState = 'on' | 'off' | 'connecting' | 'failed';

export interface Supply {
  readonly loader: NonNullable<HlsConfig['fLoader']>;
  stats(): SupplyStats;
  webrtc(): WebRtcState;
  useWebRtc(on: boolean): void;
  /** Who holds the item, of its sources: nodes with the very same file are asked for it at once. */
  heldBy(item: ItemDetail): void;
  /** What is asked for from now on is for `client`: which renditions there are depends on it. */
  serve(item: string, client: Capabilities): void;
  /** The node's decision and all renditions for the client served. */
  renditions(item: string): Promise<Renditions>;
  /** A segment will be loaded next: what it is made of is asked for while its initialisation section loads. */
  expect(url: string): void;
  /** Has the segment of a rendition made that plays at `time`; resolves when it is ready. */
  prepare(item: string, rendition: string, time: number, signal: AbortSignal): Promise<void>;
  /** Calls `listener` now and whenever something else is waited for; the result stops that. */
  onWaits(listener: (waits: Wait[]) => void): () => void;
  /** Who gave most of a segment that was loaded, its name, and who encoded it. */
  describe(url: string): Promise<Described>;
  close(): void;
}

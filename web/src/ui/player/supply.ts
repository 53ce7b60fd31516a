/**
 * What the player needs to know of where its bytes come from. Filled in by the exchange; where a browser plays the
 * playlist by itself there is none.
 */
import type { HlsConfig } from 'hls.js';
import type { Capabilities, ItemDetail, Renditions } from '../../api/types';
import type { Wait } from '../../exchange';
import type { Metered, Source } from '../supply/meter';

export interface Described {
  source: Source;
  cid: string | null;
  /** `copy`, `libx264`, `h264_qsv`... */
  encoder: string | null;
}

export interface Supply extends Metered {
  readonly loader: NonNullable<HlsConfig['fLoader']>;
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

/** Joins the exchange for a film and tells the player of it in the player's own words. */
import type { HlsConfig } from 'hls.js';
import { address, api, queryString } from '../../api/client';
import type { Capabilities, ItemDetail, Renditions } from '../../api/types';
import { createLoader, type Exchange, type Wait } from '../../exchange';
import { segmentOf } from '../../exchange/hls-loader';
import { Meter } from '../supply/meter';
import { hold, join } from '../supply/shared';
import { segmentAt } from './quality';
import type { Described, Supply } from './supply';

export function connect(): Supply {
  return new ExchangeSupply(join());
}

class ExchangeSupply extends Meter implements Supply {
  readonly loader: Supply['loader'];

  constructor(exchange: Exchange) {
    super(exchange);
    this.loader = createLoader(exchange) as NonNullable<HlsConfig['fLoader']>;
  }

  heldBy(item: ItemDetail): void {
    hold(this.exchange, item);
  }

  serve(item: string, client: Capabilities): void {
    this.exchange.segments.setQuery(item, queryString(client).slice(1));
  }

  async renditions(item: string): Promise<Renditions> {
    return (await this.exchange.segments.renditions(item)) as unknown as Renditions;
  }

  expect(url: string): void {
    const place = segmentOf(url);
    if (!place || place.n === 'init') return;
    // Whether it works shows when it is loaded.
    this.exchange.segments.segment(place.item, place.rendition, place.n).catch(() => {});
  }

  async prepare(item: string, rendition: string, time: number, signal: AbortSignal): Promise<void> {
    const playlist = await api.text(address.mediaPlaylist(item, rendition), signal);
    const n = segmentAt(playlist, time);
    if (n !== null) await this.exchange.segments.segment(item, rendition, n, signal);
  }

  onWaits(listener: (waits: Wait[]) => void): () => void {
    return this.exchange.waits.subscribe(listener);
  }

  async describe(url: string): Promise<Described> {
    const place = segmentOf(url);
    if (!place || place.n === 'init') return { source: 'unknown', cid: null, encoder: null };
    const segment = await this.exchange.segments.segment(place.item, place.rendition, place.n);
    return { source: this.mostOf(segment.blocks), cid: segment.cid, encoder: segment.encoder ?? null };
  }
}

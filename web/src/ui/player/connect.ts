/** Joins the exchange for a film and tells the player of it in the player's own words. */
import type { HlsConfig } from 'hls.js';
import { address, api, queryString } from '../../api/client';
import type { Capabilities, Holder, ItemDetail, Renditions } from '../../api/types';
import { createExchange, createLoader, type Exchange, type ExchangeStats, type Wait } from '../../exchange';
import { segmentOf } from '../../exchange/hls-loader';
import { session } from '../state/session.svelte';
import { segmentAt } from './quality';
import type { Described, Supply, SupplyStats, WebRtcState } from './supply';
import type { Source } from './timeline';

const SWITCH_KEY = 'potluck.webrtc';
/** WebRTC that is still connecting after this is told as not reachable; it goes on trying. */
const PATIENCE_MS = 5000;
/** Blocks whose source is remembered: more than any buffer holds. */
const REMEMBERED = 4096;

/** The connection outlives one film, so that the next begins at once. */
let shared: Exchange | null = null;

export function connect(): Supply {
  return new ExchangeSupply(join());
}

/** Opens the connections before a film is asked for, so that its first bytes need not wait for them. */
export function warm(item?: ItemDetail): void {
  const exchange = join();
  if (item) hold(exchange, item);
}

/** Tells whose nodes hold the same file: those that are there first, and of them the one that plays it. */
function hold(exchange: Exchange, item: ItemDetail): void {
  const [itself] = item.sources;
  const cid = item.files[0]?.cid ?? item.cid;
  const same = item.sources.filter((source) => source.cid === cid && source.state === 'present');
  const rank = ({ id, online }: Holder) => (online ? 0 : 2) + (id === item.friend?.id ? 0 : 1);
  const held = same.flatMap(({ friend, item }) => (friend ? [{ friend, item }] : []));
  held.sort((a, b) => rank(a.friend) - rank(b.friend));
  const copies = held.map(({ friend, item }) => ({ friend: friend.id, item }));
  const own = itself !== undefined && !itself.friend && itself.state === 'present';
  exchange.setHolders(item.id, { copies, own, owner: own ? undefined : item.friend?.id });
}

function join(): Exchange {
  if (!shared) {
    shared = createExchange({ webrtc: localStorage.getItem(SWITCH_KEY) !== 'off' });
    session.onLeave(leave);
  }
  return shared;
}

function leave(): void {
  shared?.close();
  shared = null;
}

class ExchangeSupply implements Supply {
  readonly loader: Supply['loader'];
  private readonly before: ExchangeStats;
  private readonly sources = new Map<string, Source>();
  private readonly forget: () => void;
  private connectingSince: number | null = null;

  constructor(private readonly exchange: Exchange) {
    this.loader = createLoader(exchange) as NonNullable<HlsConfig['fLoader']>;
    this.before = exchange.snapshot();
    this.forget = exchange.onEvent((event) => {
      if (event.type === 'block') this.remember(event.cid, event.source);
    });
  }

  /** Of this film alone. */
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
    localStorage.setItem(SWITCH_KEY, on ? 'on' : 'off');
    this.exchange.setWebRtcEnabled(on);
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

  close(): void {
    this.forget();
  }

  private mostOf(blocks: readonly { cid: string; size: number }[]): Source {
    const given = new Map<Source, number>();
    for (const { cid, size } of blocks) {
      const source = this.sources.get(cid) ?? 'unknown';
      given.set(source, (given.get(source) ?? 0) + size);
    }
    return [...given].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'unknown';
  }

  private remember(cid: string, source: Source): void {
    this.sources.delete(cid);
    this.sources.set(cid, source);
    if (this.sources.size <= REMEMBERED) return;
    const oldest = this.sources.keys().next().value;
    if (oldest !== undefined) this.sources.delete(oldest);
  }
}

/**
 * The exchange as the rest of the page sees it: ask for content by its CIDs, watch where it comes from.
 *
 * ```ts
 * const exchange = createExchange();
 * const hls = new Hls({ loader: createLoader(exchange) });
 * const stop = exchange.subscribe((stats) => ...);   // Svelte: $exchange
 * ```
 */
import type { Api, Elsewhere } from './asked.ts';
import type { Carrier, Source } from './carrier.ts';
import { realClock, type Clock } from './clock.ts';
import { Holders, type Holding } from './holders.ts';
import { HttpsCarrier } from './https.ts';
import { NodeError } from './patience.ts';
import { Pages } from './pages.ts';
import { Planner, type Holder } from './planner.ts';
import { Segments } from './segments.ts';
import { StatsStore, type ExchangeEvent, type ExchangeStats } from './stats.ts';
import { Waits } from './waits.ts';
import { WebRtcCarrier, type WebRtcSettings } from './webrtc.ts';

export { createLoader } from './hls-loader.ts';
export type { Source } from './carrier.ts';
export type { Holding } from './holders.ts';
export type { PageContent } from './pages.ts';
export type { BlockRef, Content, Holder, Planner } from './planner.ts';
export type { Segment } from './segments.ts';
export type { Wait } from './waits.ts';
export type { ExchangeEvent, ExchangeStats, SourceStats } from './stats.ts';

export interface ExchangeOptions {
  /** Default true. */
  webrtc?: boolean;
  /** JSON from the native API; default: `fetch` below `/api/v1` with the page's session. */
  api?: Api;
  fetch?: typeof fetch;
  clock?: Clock;
}

export interface Exchange {
  readonly planner: Planner;
  readonly segments: Segments;
  readonly pages: Pages;
  /** What loads wait for. */
  readonly waits: Waits;
  /** Live figures; calls back at once and after each change. */
  subscribe(listener: (stats: ExchangeStats) => void): () => void;
  onEvent(listener: (event: ExchangeEvent) => void): () => void;
  snapshot(): ExchangeStats;
  setWebRtcEnabled(enabled: boolean): void;
  /** Who holds an item's file: a way of its own to each friend's node is opened, beside the one over ours. */
  setHolders(item: string, holding: Holding): void;
  /** Who holds an item, if it is not the own node alone. */
  holderOf(item: string): Holder | undefined;
  /** Closes every connection. */
  close(): void;
}

const BASE = '/api/v1';

/** Starts the exchange. One is enough for a page, from sign-in to sign-out. */
export function createExchange(options: ExchangeOptions = {}): Exchange {
  const clock = options.clock ?? realClock;
  const ask = options.fetch ?? ((input, init) => fetch(input, init));
  const api = options.api ?? ((path, signal) => json(ask, 'GET', path, undefined, signal));
  const https = new HttpsCarrier({ fetch: ask, clock });
  const channel = (path: string, source: Source, friend?: string) =>
    new WebRtcCarrier({
      clock,
      source,
      ...(friend && { friend }),
      settings: async (signal) => (await api('/webrtc', signal)) as WebRtcSettings,
      signal: async (sdp, signal) => ((await json(ask, 'POST', path, { sdp }, signal)) as { sdp: string }).sdp,
    });
  const webrtc = channel('/webrtc', 'webrtc');
  const friends = new Map<string, WebRtcCarrier>();
  const friendOf = (friend: string) => {
    const known = friends.get(friend);
    if (known) return known;
    const carrier = channel(`/friends/${friend}/webrtc`, 'friend', friend);
    carrier.setEnabled(enabled);
    carrier.onChange(() => stats.changed());
    friends.set(friend, carrier);
    return carrier;
  };
  const holders = new Holders(friendOf);
  let enabled = false;
  const stats = new StatsStore(clock, () => ({
    state: !enabled ? 'off' : webrtc.ready ? 'open' : 'connecting',
    connections: webrtc.connections,
    roundTripMs: webrtc.roundTripMs,
  }));
  const carriers: Carrier[] = [webrtc, https];
  const setWebRtcEnabled = (wanted: boolean) => {
    // A browser can have WebRTC switched off altogether.
    enabled = wanted && typeof RTCPeerConnection !== 'undefined';
    for (const carrier of [webrtc, ...friends.values()]) carrier.setEnabled(enabled);
    stats.changed();
  };
  setWebRtcEnabled(options.webrtc ?? true);
  const elsewhere: Elsewhere = (item, below, signal) => holders.window(item, below, signal);
  return {
    planner: new Planner({ carriers, stats, clock }),
    segments: new Segments(api, elsewhere, clock),
    pages: new Pages(api, elsewhere, clock),
    waits: new Waits(),
    subscribe: (listener) => stats.subscribe(listener),
    onEvent: (listener) => stats.onEvent(listener),
    snapshot: () => stats.snapshot(),
    setWebRtcEnabled,
    setHolders: (item, holding) => holders.set(item, holding),
    holderOf: (item) => holders.of(item),
    close: () => [...carriers, ...friends.values()].forEach((carrier) => carrier.close()),
  };
}

async function json(
  ask: typeof fetch,
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<unknown> {
  const headers = { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const init: RequestInit = { method, headers, credentials: 'same-origin', signal: signal ?? null };
  if (body !== undefined) init.body = JSON.stringify(body);
  const response = await ask(BASE + path, init);
  if (!response.ok) throw await NodeError.of(response, `${method} ${path}`);
  return response.json();
}

/**
 * hls.js' loader over the planner: initialisation sections and segments come as verified blocks, everything else
 * (playlists) by plain `fetch` with the page's session. Give the result to hls.js as `loader`, `fLoader` or both.
 *
 * Media never comes by its URL: what has no CID cannot be verified.
 *
 * hls.js measures bandwidth by `stats.loading`: `start`, `first` (byte) and `end`. The time that the node takes to make
 * a segment is no bandwidth, so the clock of a load starts when its blocks are known. Until then `start` is the present:
 * hls.js would otherwise abandon a segment that is being transcoded for one of another rung, and have two made.
 * How long it was made, in milliseconds, stands beside in `stats.making`.
 */
import type {
  HlsConfig,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderContext,
  LoaderResponse,
  LoaderStats,
} from 'hls.js';
import type { Exchange } from './index.ts';
import { NodeError, pause, verdict } from './patience.ts';
import type { Content } from './planner.ts';

/** A segment or initialisation section of the native API. */
export interface Place {
  item: string;
  rendition: string;
  n: number | 'init';
}

/** A segment's place in the native API, out of its URL; none for other URLs. */
export function segmentOf(url: string): Place | undefined {
  const match = /\/api\/v1\/items\/([^/?#]+)\/hls\/([^/?#]+)\/(?:(\d+)\.m4s|(init)\.mp4)(?:[?#]|$)/.exec(url);
  if (!match?.[1] || !match[2]) return undefined;
  const n = match[4] ? 'init' : Number(match[3]);
  return { item: match[1], rendition: match[2], n };
}

/** A class that hls.js makes a loader of for every load. */
export function createLoader(exchange: Exchange): new (config: HlsConfig) => Loader<LoaderContext> {
  return class extends BlockLoader {
    constructor() {
      super(exchange);
    }
  };
}

class BlockLoader implements Loader<LoaderContext> {
  context: LoaderContext | null = null;
  stats: LoaderStats & { making: number } = freshStats();
  #exchange: Exchange;
  #abort = new AbortController();
  #callbacks: LoaderCallbacks<LoaderContext> | null = null;
  #timeout: ReturnType<typeof setTimeout> | undefined;
  #longestMs = Infinity;
  /** The clock of the load stands still: its segment is being made. */
  #held = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    let start = 0;
    Object.defineProperty(this.stats.loading, 'start', {
      get: () => (this.#held ? performance.now() : start),
      set: (at: number) => (start = at),
      enumerable: true,
    });
  }

  load(context: LoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
    this.context = context;
    this.#callbacks = callbacks;
    this.#longestMs = config.loadPolicy.maxLoadTimeMs;
    this.stats.loading.start = performance.now();
    this.#watch();
    this.#load(context).then(
      (response) => this.#done(response),
      (error: unknown) => this.#failed(error),
    );
  }

  async #load(context: LoaderContext): Promise<LoaderResponse> {
    const place = context.responseType === 'arraybuffer' ? segmentOf(context.url) : undefined;
    this.#held = place !== undefined;
    if (!place) return this.#plain(context);
    const data = await this.#patiently(place);
    return { url: context.url, data, code: 200 };
  }

  /** Asks until it comes or will never come. */
  async #patiently(place: Place): Promise<ArrayBuffer> {
    for (let failures = 0; ;) {
      try {
        return await this.#media(place);
      } catch (error) {
        this.#abort.signal.throwIfAborted();
        const next = verdict(error, failures + 1);
        if (next.do === 'give-up') throw error;
        if (next.why === 'failed') failures++;
        await this.#wait(place, next.why, next.afterMs, error);
      }
    }
  }

  async #media(place: Place): Promise<ArrayBuffer> {
    const { planner, waits } = this.#exchange;
    waits.set(this, { place, why: 'making', until: null, message: null });
    const asked = performance.now();
    const content = await this.#content(place);
    this.stats.making = performance.now() - asked;
    this.#abort.signal.throwIfAborted();
    waits.done(this);
    this.#watch();
    this.stats.loading.start = performance.now();
    this.#held = false;
    this.stats.total = content.size;
    const holder = this.#exchange.holderOf(place.item);
    return planner.fetchContent(content, this.#abort.signal, (n) => this.#progress(n), holder);
  }

  async #wait(place: Place, why: 'busy' | 'failed', ms: number, error: unknown): Promise<void> {
    const { segments, waits } = this.#exchange;
    const message = error instanceof NodeError ? error.message : null;
    segments.forget(place.item, place.rendition, place.n);
    Object.assign(this.stats, { loaded: 0, chunkCount: 0, total: 0 });
    this.stats.loading.first = 0;
    this.#held = true;
    this.stats.retry++;
    waits.set(this, { place, why, until: Date.now() + ms, message });
    clearTimeout(this.#timeout);
    await pause(ms, this.#abort.signal);
    this.#watch();
  }

  #content({ item, rendition, n }: Place): Promise<Content> {
    const { segments } = this.#exchange;
    return n === 'init' ? segments.init(item, rendition) : segments.segment(item, rendition, n, this.#abort.signal);
  }

  /** The longest time for one step begins now. */
  #watch(): void {
    clearTimeout(this.#timeout);
    if (Number.isFinite(this.#longestMs)) this.#timeout = setTimeout(() => this.#timedOut(), this.#longestMs);
  }

  async #plain(context: LoaderContext): Promise<LoaderResponse> {
    const headers = new Headers(context.headers);
    if (context.rangeEnd) headers.set('range', `bytes=${context.rangeStart ?? 0}-${context.rangeEnd - 1}`);
    const init = { credentials: 'same-origin', headers, signal: this.#abort.signal } as const;
    const response = await fetch(context.url, init);
    if (!response.ok) throw new StatusError(response.status, response.statusText);
    const binary = context.responseType === 'arraybuffer';
    const data = binary ? await response.arrayBuffer() : await response.text();
    this.#progress(typeof data === 'string' ? data.length : data.byteLength);
    return { url: response.url || context.url, data, code: response.status };
  }

  #progress(count: number): void {
    this.stats.loading.first ||= performance.now();
    this.stats.loaded += count;
    this.stats.chunkCount++;
  }

  #done(response: LoaderResponse): void {
    const [callbacks, context] = this.#end();
    if (!callbacks || !context) return;
    const { stats } = this;
    this.#held = false;
    stats.loading.first ||= performance.now();
    stats.loading.end = performance.now();
    stats.total = stats.loaded;
    const seconds = Math.max((stats.loading.end - stats.loading.start) / 1000, 0.001);
    stats.bwEstimate = (stats.loaded * 8) / seconds;
    callbacks.onSuccess(response, stats, context, null);
  }

  #failed(error: unknown): void {
    const [callbacks, context] = this.#end();
    if (!callbacks || !context) return;
    const text = error instanceof NodeError ? error.message : String(error);
    const code = error instanceof StatusError || error instanceof NodeError ? error.status : 0;
    callbacks.onError({ code, text }, context, null, this.stats);
  }

  #timedOut(): void {
    const [callbacks, context] = this.#end();
    this.#abort.abort();
    if (callbacks && context) callbacks.onTimeout(this.stats, context, null);
  }

  /** Whom to tell; nobody the second time. */
  #end(): [LoaderCallbacks<LoaderContext> | null, LoaderContext | null] {
    clearTimeout(this.#timeout);
    this.#exchange.waits.done(this);
    const callbacks = this.#callbacks;
    this.#callbacks = null;
    return [callbacks, this.context];
  }

  abort(): void {
    const [callbacks, context] = this.#end();
    this.#abort.abort();
    if (!callbacks || !context) return;
    this.stats.aborted = true;
    callbacks.onAbort?.(this.stats, context, null);
  }

  /** hls.js does this after every load, and takes no measure of bandwidth from one that was aborted. */
  destroy(): void {
    const [callbacks] = this.#end();
    this.#abort.abort();
    if (callbacks) this.stats.aborted = true;
    this.context = null;
  }

  getCacheAge(): number | null {
    return null;
  }

  getResponseHeader(): string | null {
    return null;
  }
}

class StatusError extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(`${status} ${text}`);
  }
}

function freshStats(): LoaderStats & { making: number } {
  return {
    making: 0,
    aborted: false,
    loaded: 0,
    retry: 0,
    total: 0,
    chunkCount: 0,
    bwEstimate: 0,
    loading: { start: 0, first: 0, end: 0 },
    parsing: { start: 0, end: 0 },
    buffering: { start: 0, first: 0, end: 0 },
  };
}

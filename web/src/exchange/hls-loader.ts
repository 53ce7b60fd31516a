/**
 * hls.js' loader over the planner: initialisation sections and segments come as verified blocks, everything else
 * (playlists) by plain `fetch` with the page's session. Give the result to hls.js as `loader`, `fLoader` or both.
 *
 * Media never comes by its URL: what has no CID cannot be verified.
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
import type { Content } from './planner.ts';

/** A segment's place in the native API, out of its URL; none for other URLs. */
export function segmentOf(url: string): { item: string; rendition: string; n: number | 'init' } | undefined {
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
  stats: LoaderStats = freshStats();
  #exchange: Exchange;
  #abort = new AbortController();
  #callbacks: LoaderCallbacks<LoaderContext> | null = null;
  #timeout: ReturnType<typeof setTimeout> | undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  load(context: LoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
    this.context = context;
    this.#callbacks = callbacks;
    this.stats.loading.start = performance.now();
    const longest = config.loadPolicy.maxLoadTimeMs;
    this.#timeout = setTimeout(() => this.#timedOut(), longest);
    this.#load(context).then(
      (response) => this.#done(response),
      (error: unknown) => this.#failed(error),
    );
  }

  async #load(context: LoaderContext): Promise<LoaderResponse> {
    const place = context.responseType === 'arraybuffer' ? segmentOf(context.url) : undefined;
    if (place) {
      // Media is never taken by URL: without its CIDs there would be nothing to check it against. hls.js tries again.
      const content = await this.#content(place);
      this.#abort.signal.throwIfAborted();
      this.stats.total = content.size;
      const data = await this.#exchange.planner.fetchContent(content, this.#abort.signal, (n) => this.#progress(n));
      return { url: context.url, data, code: 200 };
    }
    return this.#plain(context);
  }

  #content(place: NonNullable<ReturnType<typeof segmentOf>>): Promise<Content> {
    const { item, rendition, n } = place;
    return n === 'init'
      ? this.#exchange.segments.init(item, rendition)
      : this.#exchange.segments.segment(item, rendition, n);
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
    const code = error instanceof StatusError ? error.status : 0;
    callbacks.onError({ code, text: String(error) }, context, null, this.stats);
  }

  #timedOut(): void {
    const [callbacks, context] = this.#end();
    this.#abort.abort();
    if (callbacks && context) callbacks.onTimeout(this.stats, context, null);
  }

  /** Whom to tell; nobody the second time. */
  #end(): [LoaderCallbacks<LoaderContext> | null, LoaderContext | null] {
    clearTimeout(this.#timeout);
    const callbacks = this.#callbacks;
    this.#callbacks = null;
    return [callbacks, this.context];
  }

  abort(): void {
    const [callbacks, context] = this.#end();
    this.#abort.abort();
    this.stats.aborted = true;
    if (callbacks && context) callbacks.onAbort?.(this.stats, context, null);
  }

  destroy(): void {
    this.#callbacks = null;
    this.abort();
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

function freshStats(): LoaderStats {
  return {
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

import type { HlsConfig, LoaderCallbacks, LoaderConfiguration, LoaderContext, LoaderResponse } from 'hls.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLoader } from './hls-loader.ts';
import type { Exchange } from './index.ts';
import { NodeError, TRIES } from './patience.ts';
import { Waits } from './waits.ts';

const policy = { maxLoadTimeMs: 1000 } as LoaderConfiguration['loadPolicy'];
const config = { loadPolicy: policy } as LoaderConfiguration;
const content = { cid: 'c', size: 3, blocks: [{ cid: 'c', size: 3 }] };
const segment = 'http://node/api/v1/items/i/hls/v0/4.m4s';

function exchange(parts: { segment?: unknown; init?: unknown; fetchContent?: unknown }): Exchange {
  const segments = {
    segment: parts.segment ?? vi.fn(async () => content),
    init: parts.init ?? vi.fn(async () => content),
    forget: vi.fn(),
  };
  const fetchContent = parts.fetchContent ?? vi.fn(async () => new Uint8Array([1, 2, 3]).buffer);
  const holderOf = () => undefined;
  return { segments, planner: { fetchContent }, waits: new Waits(), holderOf } as unknown as Exchange;
}

/** Loads and waits for the outcome. */
function load(exchange: Exchange, url: string, responseType: 'arraybuffer' | 'text' = 'arraybuffer') {
  const loader = new (createLoader(exchange))({} as HlsConfig);
  const outcome = new Promise<{ what: string; response?: LoaderResponse; text?: string }>((resolve) => {
    const callbacks: LoaderCallbacks<LoaderContext> = {
      onSuccess: (response) => resolve({ what: 'success', response }),
      onError: ({ text }) => resolve({ what: 'error', text }),
      onTimeout: () => resolve({ what: 'timeout' }),
      onAbort: () => resolve({ what: 'abort' }),
    };
    loader.load({ url, responseType } as LoaderContext, config, callbacks);
  });
  return { loader, outcome };
}

const refusal = (status: number, after: number | null = null) => new NodeError(status, 'word', 'a sentence', after);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('the loader of hls.js', () => {
  it('takes segments and initialisation sections from the planner', async () => {
    const one = exchange({});
    const { response } = await load(one, segment).outcome;
    expect(new Uint8Array(response!.data as ArrayBuffer)).toEqual(new Uint8Array([1, 2, 3]));
    expect(one.segments.segment).toHaveBeenCalledWith('i', 'v0', 4, expect.any(AbortSignal));
    await load(one, 'http://node/api/v1/items/i/hls/a1/init.mp4').outcome;
    expect(one.segments.init).toHaveBeenCalledWith('i', 'a1');
  });

  it('takes playlists by plain fetch with the session', async () => {
    const ask = vi.fn(async () => new Response('#EXTM3U'));
    vi.stubGlobal('fetch', ask);
    const { response } = await load(exchange({}), 'http://node/api/v1/items/i/hls/master.m3u8', 'text').outcome;
    expect(response!.data).toBe('#EXTM3U');
    expect(ask).toHaveBeenCalledWith(expect.any(String), expect.objectContaining({ credentials: 'same-origin' }));
  });

  it('never takes media by its URL, where nothing could be verified', async () => {
    const ask = vi.fn(async () => new Response(new Uint8Array([7])));
    vi.stubGlobal('fetch', ask);
    const broken = exchange({ segment: async () => Promise.reject(refusal(404)) });
    expect(await load(broken, segment).outcome).toMatchObject({ what: 'error', text: 'a sentence' });
    expect(ask).not.toHaveBeenCalled();
  });

  it('reports failures, and aborts once and for all', async () => {
    vi.useFakeTimers();
    const fetchContent = vi.fn(async () => Promise.reject(new Error('wrong bytes')));
    const { outcome: end } = load(exchange({ fetchContent }), segment);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await end).toMatchObject({ what: 'error', text: 'Error: wrong bytes' });
    expect(fetchContent).toHaveBeenCalledTimes(TRIES);
    vi.useRealTimers();
    let signal: AbortSignal | undefined;
    const waiting = exchange({
      fetchContent: (_: unknown, given: AbortSignal) => {
        signal = given;
        return new Promise(() => {});
      },
    });
    const { loader, outcome } = load(waiting, segment);
    await vi.waitFor(() => expect(signal).toBeDefined());
    loader.abort();
    expect((await outcome).what).toBe('abort');
    expect([signal!.aborted, loader.stats.aborted]).toEqual([true, true]);
    loader.destroy();
  });

  it('asks again for what a killed worker did not make, and forgets what it knew of it', async () => {
    vi.useFakeTimers();
    const answer = vi
      .fn()
      .mockRejectedValueOnce(refusal(500))
      .mockRejectedValueOnce(refusal(502))
      .mockResolvedValue(content);
    const one = exchange({ segment: answer });
    const { outcome, loader } = load(one, segment);
    await vi.advanceTimersByTimeAsync(1000);
    expect((await outcome).what).toBe('success');
    expect(loader.stats.retry).toBe(2);
    expect(one.segments.forget).toHaveBeenCalledWith('i', 'v0', 4);
  });

  it('waits for a busy node as long as it takes, and says so', async () => {
    vi.useFakeTimers();
    let free = false;
    const one = exchange({ segment: async () => (free ? content : Promise.reject(refusal(429, 5))) });
    const { outcome } = load(one, segment);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(one.waits.all()).toMatchObject([{ why: 'busy', message: 'a sentence', place: { rendition: 'v0', n: 4 } }]);
    free = true;
    await vi.advanceTimersByTimeAsync(5000);
    expect((await outcome).what).toBe('success');
    expect(one.waits.all()).toEqual([]);
  });

  it('does not count the making of a segment as its transfer', async () => {
    vi.useFakeTimers();
    const slow = <T>(ms: number, value: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value), ms));
    const one = exchange({
      segment: () => slow(700, content),
      fetchContent: async (_: unknown, __: unknown, onBytes: (count: number) => void) => {
        await slow(40, null);
        onBytes(1);
        await slow(100, null);
        onBytes(2);
        return new ArrayBuffer(3);
      },
    });
    const { outcome, loader } = load(one, segment);
    const begun = performance.now();
    await vi.advanceTimersByTimeAsync(500);
    // While it is made, the load has only just begun: hls.js does not give it up.
    expect(loader.stats.loading.start - begun).toBe(500);
    expect(one.waits.all()).toMatchObject([{ why: 'making' }]);
    await vi.advanceTimersByTimeAsync(1000);
    await outcome;
    const { start, first, end } = loader.stats.loading;
    loader.destroy();
    expect(loader.stats.aborted).toBe(false);
    expect([start - begun, first - start, end - start, loader.stats.loaded]).toEqual([700, 40, 140, 3]);
  });
});

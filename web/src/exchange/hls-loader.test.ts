import type { HlsConfig, LoaderCallbacks, LoaderConfiguration, LoaderContext, LoaderResponse } from 'hls.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLoader } from './hls-loader.ts';
import type { Exchange } from './index.ts';

const policy = { maxLoadTimeMs: 1000 } as LoaderConfiguration['loadPolicy'];
const config = { loadPolicy: policy } as LoaderConfiguration;
const content = { cid: 'c', size: 3, blocks: [{ cid: 'c', size: 3 }] };
const segment = 'http://node/api/v1/items/i/hls/v0/4.m4s';

function exchange(parts: { segment?: unknown; init?: unknown; fetchContent?: unknown }): Exchange {
  const segments = {
    segment: parts.segment ?? vi.fn(async () => content),
    init: parts.init ?? vi.fn(async () => content),
  };
  const fetchContent = parts.fetchContent ?? vi.fn(async () => new Uint8Array([1, 2, 3]).buffer);
  return { segments, planner: { fetchContent } } as unknown as Exchange;
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

afterEach(() => vi.unstubAllGlobals());

describe('the loader of hls.js', () => {
  it('takes segments and initialisation sections from the planner', async () => {
    const one = exchange({});
    const { response } = await load(one, segment).outcome;
    expect(new Uint8Array(response!.data as ArrayBuffer)).toEqual(new Uint8Array([1, 2, 3]));
    expect(one.segments.segment).toHaveBeenCalledWith('i', 'v0', 4);
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
    const broken = exchange({ segment: async () => Promise.reject(new Error('502')) });
    expect(await load(broken, segment).outcome).toMatchObject({ what: 'error', text: 'Error: 502' });
    expect(ask).not.toHaveBeenCalled();
  });

  it('reports failures, and aborts once and for all', async () => {
    const failing = exchange({ fetchContent: async () => Promise.reject(new Error('wrong bytes')) });
    expect(await load(failing, segment).outcome).toMatchObject({ what: 'error', text: 'Error: wrong bytes' });
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
});

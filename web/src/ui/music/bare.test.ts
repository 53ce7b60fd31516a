import type { HlsConfig, LoaderCallbacks, LoaderConfiguration, LoaderContext } from 'hls.js';
import { expect, it, vi } from 'vitest';
import { bare, samplesOf, untold, wantsBare } from './bare';

const box = (name: string, body: number[]) => [0, 0, 0, 8 + body.length, ...new TextEncoder().encode(name), ...body];
const segment = new Uint8Array([...box('moof', [1, 2]), ...box('mdat', [7, 8, 9])]).buffer;

it('the samples are what stands in the data', () => {
  expect([...new Uint8Array(samplesOf(segment))]).toEqual([7, 8, 9]);
  for (const broken of [[], [0, 0, 0, 0], box('moof', [1]), [0, 0, 0, 99, 1, 2, 3, 4, 5]])
    expect(samplesOf(new Uint8Array(broken).buffer).byteLength).toBe(0);
});

it('a browser that takes MP3 in MP4, or not at all, is given segments as they are', () => {
  expect(wantsBare((type) => type === 'audio/mpeg')).toBe(true);
  expect(wantsBare(() => true)).toBe(false);
  expect(wantsBare(() => false)).toBe(false);
});

it('a playlist tells of no MP4', () => {
  expect(untold('#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="mp4a.6B"\na0/index.m3u8\n')).toBe(
    '#EXT-X-STREAM-INF:BANDWIDTH=1\na0/index.m3u8\n',
  );
  expect(untold('#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:6,\n')).toBe('#EXTM3U\n#EXTINF:6,\n');
});

it.each([
  ['/api/v1/items/t/hls/a0/3.m4s', 3],
  ['/api/v1/items/t/hls/a0-aac2/3.m4s', segment.byteLength],
])('of %s hls.js has %s bytes', (url, size) => {
  class Plain {
    load(_context: unknown, _config: unknown, { onSuccess }: LoaderCallbacks<LoaderContext>) {
      onSuccess({ url, data: segment, code: 200 }, {} as never, {} as never, null);
    }
  }
  const onSuccess = vi.fn();
  const loader = new (bare(Plain as unknown as NonNullable<HlsConfig['fLoader']>))({} as HlsConfig);
  loader.load({ url } as never, {} as LoaderConfiguration, { onSuccess } as never);
  expect(onSuccess.mock.calls[0]![0].data.byteLength).toBe(size);
});

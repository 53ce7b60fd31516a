import { describe, expect, it } from 'vitest';
import { segmentOf } from './hls-loader.ts';
import { Segments } from './segments.ts';
import { settled } from './fakes.ts';

const content = (name: string) => ({ cid: name, size: 10, blocks: [{ cid: name, size: 10 }] });

/** A node with one rendition of `count` segments, and the calls it got. */
function node(count: number) {
  const calls: string[] = [];
  const state = { broken: false };
  const api = async (path: string): Promise<unknown> => {
    calls.push(path);
    if (state.broken) throw new Error('502');
    if (path === '/items/i/renditions') return { renditions: [{ id: 'v0', segments: count, init: content('init') }] };
    const query = new URL(path, 'http://x').searchParams;
    const from = Number(query.get('from'));
    const last = Math.min(from + Number(query.get('count')), count);
    return Array.from({ length: Math.max(0, last - from) }, (_, at) => ({ n: from + at, ...content(`s${from + at}`) }));
  };
  return { calls, state, segments: new Segments(api) };
}

const lists = (calls: string[]) =>
  calls.filter((path) => path.includes('/segments?')).map((path) => path.split('?')[1]);

describe('segments', () => {
  it('are known before they are asked for, a window ahead', async () => {
    const { calls, segments } = node(100);
    expect((await segments.segment('i', 'v0', 0)).cid).toBe('s0');
    await settled();
    expect(lists(calls)).toEqual(['from=0&count=2', 'from=2&count=4']);
    for (let n = 1; n < 6; n++) expect((await segments.segment('i', 'v0', n)).cid).toBe(`s${n}`);
    await settled();
    expect(lists(calls)).toEqual(['from=0&count=2', 'from=2&count=4', 'from=6&count=4']);
  });

  it('are asked for once when several wait for them', async () => {
    const { calls, segments } = node(3);
    const all = await Promise.all([0, 1, 0].map((n) => segments.segment('i', 'v0', n)));
    expect(all.map(({ n }) => n)).toEqual([0, 1, 0]);
    await settled();
    expect(lists(calls)).toEqual(['from=0&count=2', 'from=2&count=4']);
  });

  it('are not asked for beyond the end, and a failure is not kept', async () => {
    const { calls, segments, state } = node(2);
    await segments.segment('i', 'v0', 0);
    await settled();
    expect(lists(calls)).toEqual(['from=0&count=2']);
    await expect(segments.segment('i', 'v0', 9)).rejects.toThrow('no segment 9');
    state.broken = true;
    await expect(segments.segment('i', 'v0', 8)).rejects.toThrow('502');
    state.broken = false;
    await expect(segments.segment('i', 'v0', 8)).rejects.toThrow('no segment 8');
    expect((await segments.init('i', 'v0')).cid).toBe('init');
    await expect(segments.init('i', 'v7')).rejects.toThrow('no rendition');
  });

  it('are found in the URLs of a playlist and nowhere else', () => {
    const base = 'http://node:8080/api/v1/items/0198-ab/hls';
    expect(segmentOf(`${base}/v0/17.m4s`)).toEqual({ item: '0198-ab', rendition: 'v0', n: 17 });
    expect(segmentOf(`${base}/a1/init.mp4?x=1`)).toEqual({ item: '0198-ab', rendition: 'a1', n: 'init' });
    for (const other of [`${base}/master.m3u8`, `${base}/v0/index.m3u8`, `${base}/v0/x.m4s`, 'http://node/x.m4s']) {
      expect(segmentOf(other)).toBeUndefined();
    }
  });
});

import { describe, expect, it } from 'vitest';
import { segmentOf } from './hls-loader.ts';
import { FakeClock, settled } from './fakes.ts';
import { HEDGE_MS } from './asked.ts';
import { Segments, type Segment } from './segments.ts';

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

describe('segments that other nodes hold too', () => {
  const segment = (name: string) => ({ n: 0, start: 0, duration: 4, sources: [], ...content(name) });

  function two() {
    const clock = new FakeClock();
    const answers: { own?: (segments: Segment[]) => void; ownFails?: (error: Error) => void } = {};
    const api = async (path: string): Promise<unknown> => {
      if (path === '/items/i/renditions') return { renditions: [{ id: 'v0', segments: 1, init: content('init') }] };
      return new Promise((resolve, reject) => Object.assign(answers, { own: resolve, ownFails: reject }));
    };
    const segments = new Segments(api, <T>() => Promise.resolve([segment('theirs')] as T), clock);
    return { clock, answers, asked: segments.segment('i', 'v0', 0) };
  }

  it('are as the own node says, if it answers soon', async () => {
    const { clock, answers, asked } = two();
    await clock.pass(HEDGE_MS - 10);
    answers.own!([segment('ours')]);
    expect((await asked).cid).toBe('ours');
  });

  it('are as another says when the own node does not answer in time, or fails', async () => {
    const slow = two();
    await slow.clock.pass(HEDGE_MS);
    expect((await slow.asked).cid).toBe('theirs');
    const broken = two();
    await settled();
    broken.answers.ownFails!(new Error('503'));
    expect((await broken.asked).cid).toBe('theirs');
  });
});

describe('segments of a transcoded rendition', () => {
  /** A node that makes one segment at a time, when the test says so. */
  function slowNode() {
    const calls: { path: string; signal: AbortSignal | undefined; answer: (ns: number[]) => void }[] = [];
    const api = (path: string, signal?: AbortSignal): Promise<unknown> => {
      if (path.endsWith('/init')) return Promise.resolve(content('init'));
      if (path.includes('/renditions?') || path.endsWith('/renditions')) {
        const rendition = { id: 'v0-720', method: 'transcode', segments: 100, init: null };
        calls.push({ path, signal, answer: () => {} });
        return Promise.resolve({ renditions: [rendition] });
      }
      return new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        calls.push({ path, signal, answer: (ns) => resolve(ns.map((n) => ({ n, ...content(`s${n}`) }))) });
      });
    };
    const asked = () => calls.filter(({ path }) => path.includes('/segments?'));
    return { calls, asked, segments: new Segments(api) };
  }

  it('are not asked for ahead, and a window may be answered shorter than it was asked', async () => {
    const { asked, segments } = slowNode();
    const [first, second] = [segments.segment('i', 'v0-720', 0), segments.segment('i', 'v0-720', 1)];
    await settled();
    expect(asked()).toHaveLength(1);
    asked()[0]!.answer([0]);
    expect((await first).cid).toBe('s0');
    await settled();
    expect(asked().map(({ path }) => path.split('?')[1])).toEqual(['from=0&count=2', 'from=1&count=4']);
    asked()[1]!.answer([1, 2]);
    expect((await second).cid).toBe('s1');
    expect((await segments.segment('i', 'v0-720', 2)).cid).toBe('s2');
    expect(asked()).toHaveLength(2);
  });

  it('are taken back when nobody waits for them any more', async () => {
    const { asked, segments } = slowNode();
    const [one, other] = [new AbortController(), new AbortController()];
    const waits = [one, other].map((who) => segments.segment('i', 'v0-720', 7, who.signal).catch(() => 'left'));
    await settled();
    one.abort();
    await settled();
    expect(asked()[0]!.signal!.aborted).toBe(false);
    other.abort();
    expect(await Promise.all(waits)).toEqual(['left', 'left']);
    expect(asked()[0]!.signal!.aborted).toBe(true);
    void segments.segment('i', 'v0-720', 7);
    await settled();
    expect(asked()).toHaveLength(2);
  });

  it('have an initialisation section that is made when it is asked for', async () => {
    const { segments } = slowNode();
    expect((await segments.init('i', 'v0-720')).cid).toBe('init');
  });

  it('are those of a client: another query asks for the renditions again', async () => {
    const { calls, segments } = slowNode();
    segments.setQuery('i', 'video=h264');
    await segments.renditions('i');
    segments.setQuery('i', 'video=h264');
    await segments.renditions('i');
    segments.setQuery('i', 'video=h264&burn=3');
    await segments.renditions('i');
    expect(calls.map(({ path }) => path)).toEqual([
      '/items/i/renditions?video=h264',
      '/items/i/renditions?video=h264&burn=3',
    ]);
  });
});

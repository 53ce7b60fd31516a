import { describe, expect, it } from 'vitest';
import { HEDGE_MS } from './asked.ts';
import { FakeClock, settled } from './fakes.ts';
import { Pages, type PageContent } from './pages.ts';

const page = (number: number): PageContent => ({
  number,
  type: 'image/jpeg',
  cid: `p${number}`,
  size: 9,
  blocks: [{ cid: `p${number}`, size: 9 }],
});

/** A node with a book of `count` pages that tells at most `most` at once, and the calls it got. */
function node(count: number, most = 32) {
  const calls: string[] = [];
  const state = { broken: false };
  const signals: (AbortSignal | undefined)[] = [];
  const api = async (path: string, signal?: AbortSignal): Promise<unknown> => {
    calls.push(path);
    signals.push(signal);
    if (state.broken) throw new Error('503');
    const query = new URL(path, 'http://x').searchParams;
    const from = Number(query.get('from'));
    const last = Math.min(from + Math.min(Number(query.get('count')), most), count + 1);
    return Array.from({ length: Math.max(0, last - from) }, (_, at) => page(from + at));
  };
  return { calls, state, signals, pages: new Pages(api) };
}

const lists = (calls: string[]) => calls.map((path) => path.split('?')[1]);

describe('pages', () => {
  it('are asked for a few at once, and each only once', async () => {
    const { calls, pages } = node(20);
    const shown = await Promise.all([1, 2, 3, 4, 1].map((number) => pages.page('i', number, false)));
    expect(shown.map(({ cid }) => cid)).toEqual(['p1', 'p2', 'p3', 'p4', 'p1']);
    for (const number of [5, 6, 7]) await pages.page('i', number, false);
    expect(lists(calls)).toEqual(['from=1&count=2', 'from=3&count=4', 'from=7&count=4']);
  });

  it('that are made one by one are asked for one by one', async () => {
    const { calls, pages } = node(20, 1);
    const shown = await Promise.all([1, 2, 3].map((number) => pages.page('i', number, true)));
    expect(shown.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(lists(calls)).toContain('from=2&count=4&convert=jpeg');
    expect(calls.every((path) => path.startsWith('/items/i/pages/blocks?'))).toBe(true);
  });

  it('are not there beyond the last, and a failure is not kept', async () => {
    const { pages, state } = node(2);
    await expect(pages.page('i', 3, false)).rejects.toThrow('no page 3');
    state.broken = true;
    await expect(pages.page('i', 1, false)).rejects.toThrow('503');
    state.broken = false;
    expect((await pages.page('i', 1, false)).cid).toBe('p1');
  });

  it('are asked for anew when their blocks could not be had', async () => {
    const { calls, pages } = node(9);
    await pages.page('i', 1, false);
    pages.forget('i', 1, false);
    await pages.page('i', 1, false);
    expect(lists(calls)).toEqual(['from=1&count=2', 'from=1&count=2']);
  });

  it('that nobody waits for any more are taken back', async () => {
    const asked: AbortSignal[] = [];
    const pages = new Pages((_, signal) => {
      asked.push(signal!);
      return new Promise(() => {});
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const waits = [pages.page('i', 1, false, first.signal), pages.page('i', 2, false, second.signal)];
    first.abort(new Error('turned past'));
    await expect(waits[0]).rejects.toThrow('turned past');
    expect(asked[0]!.aborted).toBe(false);
    second.abort(new Error('turned past'));
    await expect(waits[1]).rejects.toThrow('turned past');
    expect(asked[0]!.aborted).toBe(true);
    void pages.page('i', 1, false);
    expect(asked).toHaveLength(2);
  });

  it("are another holder's to tell where the own node is silent", async () => {
    const clock = new FakeClock();
    const below: string[] = [];
    const elsewhere = <T>(_: string, what: string) => {
      below.push(what);
      return Promise.resolve([page(1), page(2)] as T);
    };
    const pages = new Pages(() => new Promise(() => {}), elsewhere, clock);
    let told: PageContent | undefined;
    void pages.page('i', 1, false).then((page) => (told = page));
    await settled();
    expect(told).toBeUndefined();
    await clock.pass(HEDGE_MS);
    expect(told!.cid).toBe('p1');
    expect(below).toEqual(['pages/blocks?from=1&count=2']);
  });

  it('of a few books are remembered, not of all', async () => {
    const { calls, pages } = node(9);
    for (const book of ['a', 'b', 'c', 'd', 'e', 'a']) await pages.page(book, 1, false);
    expect(calls.filter((path) => path.includes('/a/'))).toHaveLength(2);
    for (const book of ['d', 'e', 'a']) await pages.page(book, 1, false);
    expect(calls).toHaveLength(6);
  });
});

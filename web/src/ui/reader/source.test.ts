import { CID } from 'multiformats/cid';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { BookPage } from '../../api/types';
import { rawCid } from '../../content/cid';
import { sha256 } from '../../content/verify';
import { FakeCarrier, FakeClock, settled } from '../../exchange/fakes';
import { Pages, type PageContent } from '../../exchange/pages';
import { Planner } from '../../exchange/planner';
import { StatsStore } from '../../exchange/stats';
import { bookFile, pageSource, type PageSource } from './source';

const live = () => new AbortController().signal;
const page = (number: number, type = 'image/jpeg'): BookPage => ({
  number,
  name: '',
  type,
  size: 4,
  width: null,
  height: null,
});
const picture = new Uint8Array([255, 216, 255, 7]);
const plain = new Blob([new Uint8Array([1])]);

/** A book of a node that is reached by two ways, and the pages that came by their address. */
async function book(told: Partial<PageContent> = {}) {
  const clock = new FakeClock();
  const [webrtc, https] = [new FakeCarrier('webrtc', clock), new FakeCarrier('https', clock)];
  const stats = new StatsStore(clock, () => ({ state: 'open', connections: 1, roundTripMs: null }));
  const cid = rawCid(await sha256(picture));
  const content = { type: 'image/jpeg', cid, size: 4, blocks: [{ cid, size: 4 }], ...told };
  const api = vi.fn(async (path: string): Promise<unknown> => [
    { number: Number(/from=(\d+)/.exec(path)![1]), ...content },
  ]);
  const exchange = {
    pages: new Pages(api),
    planner: new Planner({ carriers: [webrtc, https], stats, clock }),
    holderOf: () => undefined,
  };
  const plainly = vi.fn<PageSource>(async () => plain);
  const arrived = vi.fn();
  return { clock, webrtc, https, stats, cid, api, plainly, arrived, load: pageSource('i', exchange, arrived, plainly) };
}

let one: Awaited<ReturnType<typeof book>>;
beforeEach(async () => (one = await book()));

describe('a page', () => {
  it('comes over WebRTC, verified', async () => {
    const got = one.load(page(1), false, live());
    await settled();
    one.webrtc.reply(picture);
    expect(new Uint8Array(await (await got).arrayBuffer())).toEqual(picture);
    expect((await got).type).toBe('image/jpeg');
    expect(one.arrived).toHaveBeenCalledWith(1, expect.objectContaining({ cid: one.cid }));
    expect(one.stats.snapshot()).toMatchObject({ blocksVerified: 1, sources: { webrtc: { bytes: 4 } } });
    expect([one.https.asked.length, one.plainly.mock.calls.length]).toEqual([0, 0]);
  });

  it('comes over HTTPS, verified, where the channel is not there', async () => {
    one.webrtc.ready = false;
    const got = one.load(page(1), false, live());
    await settled();
    one.https.reply(picture);
    await got;
    expect(one.stats.snapshot().sources.https.bytes).toBe(4);
    expect(one.plainly).not.toHaveBeenCalled();
  });

  it('of other bytes is not shown: it is asked for elsewhere', async () => {
    const got = one.load(page(1), false, live());
    await settled();
    one.webrtc.reply(new Uint8Array([255, 216, 255, 8]));
    await vi.waitFor(() => expect(one.https.asked).toHaveLength(1));
    one.https.reply(picture);
    expect(new Uint8Array(await (await got).arrayBuffer())).toEqual(picture);
    expect(one.stats.snapshot().blocksWrong).toBe(1);
  });

  it('comes by its address where its blocks cannot be had, is told as not verified, and is named anew the next time', async () => {
    const got = one.load(page(1), false, live());
    await settled();
    one.webrtc.reply(picture, 503);
    await settled();
    one.https.reply(picture, 503);
    expect(await got).toBe(plain);
    expect(one.arrived).toHaveBeenCalledWith(1, null);
    void one.load(page(1), false, live());
    expect(one.api).toHaveBeenCalledTimes(2);
  });

  it('comes by its address where the node does not name pages', async () => {
    one.api.mockRejectedValue(new Error('404'));
    expect(await one.load(page(1), false, live())).toBe(plain);
    expect(one.plainly).toHaveBeenCalledWith(page(1), false, expect.any(AbortSignal));
  });

  it('that is turned past is given up everywhere, and not asked for by its address', async () => {
    const abort = new AbortController();
    const got = one.load(page(1), false, abort.signal);
    await settled();
    const { signal } = one.webrtc.asked[0]!.request;
    abort.abort(new Error('turned past'));
    await expect(got).rejects.toThrow('turned past');
    expect(signal.aborted).toBe(true);
    await settled();
    expect([one.https.asked.length, one.plainly.mock.calls.length, one.arrived.mock.calls.length]).toEqual([0, 0, 0]);
  });

  it('that no browser shows is asked for as JPEG', async () => {
    void one.load(page(1, 'image/tiff'), true, live());
    expect(one.api.mock.calls[0]![0]).toContain('convert=jpeg');
  });

  it('is never taken for anything but a picture, whatever a node says', async () => {
    for (const type of ['text/html', 'image/svg+xml', '']) {
      const odd = await book({ type });
      const got = odd.load(page(1), false, live());
      await settled();
      odd.webrtc.reply(picture);
      expect((await got).type).toBe('application/octet-stream');
    }
  });
});

describe('a whole book', () => {
  /** A node of a DAG that lists these blocks. */
  async function dag(parts: Uint8Array<ArrayBuffer>[]) {
    const cids = await Promise.all(parts.map(async (part) => CID.parse(rawCid(await sha256(part))).bytes));
    const links = cids.flatMap((cid, at) => {
      const body = [0x0a, cid.length, ...cid, 0x12, 0, 0x18, parts[at]!.length];
      return [0x12, body.length, ...body];
    });
    const bytes = new Uint8Array(links);
    const root = CID.decode(new Uint8Array([1, 0x70, 0x12, 32, ...(await sha256(bytes))]));
    return { bytes, cid: root.toString() };
  }
  const parts = [new Uint8Array([1, 2, 3]), new Uint8Array([4, 5])];
  const load = (cid: string, size: number) => {
    const planner = new Planner({ carriers: [one.webrtc, one.https], stats: one.stats, clock: one.clock });
    const plainly = vi.fn(async () => plain);
    return {
      plainly,
      got: bookFile({ item: 'i', cid, size }, { planner, holderOf: () => undefined }, live(), plainly),
    };
  };

  it('comes by the blocks that its root lists, in order', async () => {
    const { bytes, cid } = await dag(parts);
    const { got, plainly } = load(cid, 5);
    await settled();
    one.webrtc.reply(bytes);
    await vi.waitFor(() => expect(one.webrtc.asked).toHaveLength(2));
    for (const part of parts) one.webrtc.reply(part);
    expect([...new Uint8Array(await (await got).arrayBuffer())]).toEqual([1, 2, 3, 4, 5]);
    expect([one.stats.snapshot().blocksVerified, plainly.mock.calls.length]).toEqual([3, 0]);
  });

  it('of one block is that block', async () => {
    const { got } = load(one.cid, 4);
    await settled();
    one.webrtc.reply(picture);
    expect((await got).size).toBe(4);
  });

  it('comes by its address where its blocks cannot be had', async () => {
    expect(await load('', 4).got).toBe(plain);
  });
});

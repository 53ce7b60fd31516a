import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { api } from '../../api/client';
import { segmentOf } from '../../exchange/hls-loader';
import { FakeElement, fakeAudio } from './fakes';
import { HANG_MS, Segmented, watchFor, type Parts } from './segmented';

let asElement: ReturnType<typeof fakeAudio>['asElement'];
let stopped: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  vi.useFakeTimers();
  ({ asElement } = fakeAudio());
  stopped = vi.spyOn(api, 'stopped').mockResolvedValue(undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const URL_OF_4 = 'http://node/api/v1/items/t/hls/a0/4.m4s';

/** hls.js as far as it is used, and what it was told. */
function parts(encoder = 'copy', supported = true) {
  const all: FakeHls[] = [];
  class FakeHls {
    static isSupported = () => supported;
    static Events = { FRAG_BUFFERED: 'buffered', ERROR: 'error' };
    readonly listeners = new Map<string, (event: string, data: unknown) => void>();
    loadSource = vi.fn();
    attachMedia = vi.fn();
    destroy = vi.fn();
    constructor(readonly config: { startPosition: number }) {
      all.push(this);
    }
    on(event: string, listener: (event: string, data: unknown) => void) {
      this.listeners.set(event, listener);
    }
    says(event: string, data: unknown) {
      this.listeners.get(event)?.(event, data);
    }
  }
  const content = { cid: 'c', size: 1, blocks: [{ cid: 'c', size: 1 }], n: 4, encoder };
  const segments = { segment: vi.fn(async () => content) };
  const given = { Hls: FakeHls, loader: class {}, segments, segmentOf, playlist: '/master.m3u8' } as unknown as Parts;
  return { given, all, content };
}

function segmented(load: () => Promise<Parts>) {
  const events = { came: vi.fn(), failed: vi.fn() };
  return { feed: new Segmented('t', load, events), events, element: new FakeElement() };
}

describe('segments of a track', () => {
  it('are loaded from the wanted place on, and told as they come', async () => {
    const { given, all, content } = parts();
    const { feed, events, element } = segmented(async () => given);
    await feed.attach(asElement(element), 3000);
    const [hls] = all;
    expect([hls!.config.startPosition, hls!.loadSource.mock.calls, hls!.attachMedia.mock.calls]).toEqual([
      3000,
      [['/master.m3u8']],
      [[element]],
    ]);
    hls!.says('buffered', { frag: { sn: 'initSegment', url: URL_OF_4 } });
    hls!.says('buffered', { frag: { sn: 4, url: URL_OF_4 } });
    await vi.waitFor(() => expect(events.came.mock.calls).toEqual([[content]]));
  });

  it('what cannot be loaded fails once, and lets whoever waits go on', async () => {
    const { given, all } = parts();
    const { feed, events, element } = segmented(async () => given);
    await feed.attach(asElement(element), 0);
    all[0]!.says('error', { fatal: false });
    expect(events.failed).not.toHaveBeenCalled();
    all[0]!.says('error', { fatal: true });
    expect(events.failed).toHaveBeenCalledOnce();
    for (const load of [() => Promise.reject(new Error('no exchange')), async () => parts('copy', false).given]) {
      const other = segmented(load);
      await other.feed.attach(asElement(element), 0);
      expect(other.events.failed).toHaveBeenCalledOnce();
    }
  });

  it('what hangs fails too, even before anything was loaded', async () => {
    const { feed, events, element } = segmented(() => new Promise(() => {}));
    const attached = feed.attach(asElement(element), 0);
    await vi.advanceTimersByTimeAsync(HANG_MS);
    await attached;
    expect(events.failed).toHaveBeenCalledOnce();
  });

  it('nothing is told of what was given up', async () => {
    const { given, all } = parts();
    const { feed, events, element } = segmented(async () => given);
    await feed.attach(asElement(element), 0);
    feed.detach();
    all[0]!.says('error', { fatal: true });
    all[0]!.says('buffered', { frag: { sn: 4, url: URL_OF_4 } });
    await vi.advanceTimersByTimeAsync(HANG_MS);
    expect(all[0]!.destroy).toHaveBeenCalledOnce();
    expect([events.failed.mock.calls, events.came.mock.calls]).toEqual([[], []]);
  });

  it('the node is told that what it encodes is not wanted any more', async () => {
    for (const [encoder, calls] of [
      ['copy', 0],
      ['aac', 1],
    ] as const) {
      const { given, all } = parts(encoder);
      const { feed, events, element } = segmented(async () => given);
      await feed.attach(asElement(element), 0);
      all[0]!.says('buffered', { frag: { sn: 4, url: URL_OF_4 } });
      await vi.waitFor(() => expect(events.came).toHaveBeenCalledOnce());
      feed.detach();
      expect(stopped).toHaveBeenCalledTimes(calls);
    }
  });
});

describe('an element that waits', () => {
  function watched() {
    const element = new FakeElement();
    const hangs = vi.fn();
    const watch = watchFor(asElement(element), 1000, hangs);
    const becomes = (readyState: number, event: string) => {
      element.readyState = readyState;
      element.says(event);
    };
    return { element, hangs, becomes, ...watch };
  }

  it('hangs where nothing comes for long', () => {
    const { hangs, becomes } = watched();
    becomes(4, 'canplay');
    vi.advanceTimersByTime(5000);
    expect(hangs).not.toHaveBeenCalled();
    becomes(2, 'waiting');
    vi.advanceTimersByTime(999);
    expect(hangs).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(hangs).toHaveBeenCalledOnce();
  });

  it('is given more time by whatever comes', () => {
    const { hangs, look } = watched();
    for (let n = 0; n < 5; n += 1) {
      vi.advanceTimersByTime(900);
      look();
    }
    expect(hangs).not.toHaveBeenCalled();
  });

  it('waits for nothing at its end, nor when it is let go', () => {
    const { element, hangs, becomes, stop } = watched();
    element.ended = true;
    becomes(2, 'ended');
    vi.advanceTimersByTime(5000);
    element.ended = false;
    becomes(1, 'seeking');
    stop();
    vi.advanceTimersByTime(5000);
    expect(hangs).not.toHaveBeenCalled();
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeAudio } from './fakes';
import { Address, Stream, type Feed } from './stream';

let audio: ReturnType<typeof fakeAudio>;
beforeEach(() => (audio = fakeAudio()));
afterEach(() => vi.unstubAllGlobals());

function streamOf() {
  const events = { moved: vi.fn(), ended: vi.fn(), waits: vi.fn(), stopped: vi.fn(), failed: vi.fn() };
  const stream = new Stream({} as AudioContext, {} as AudioNode, events);
  return { stream, events, element: audio.element() };
}

/** A feed that is attached when `ready` is called. */
function slowFeed(reaches: boolean) {
  let ready = () => {};
  const attach = vi.fn(() => new Promise<void>((resolve) => (ready = resolve)));
  const feed = { base: 0, attach, reaches: () => reaches, detach: vi.fn() } satisfies Feed;
  return { feed, ready: () => ready() };
}

describe('a stream', () => {
  it('is told to play once it has something', async () => {
    const { stream, element } = streamOf();
    const { feed, ready } = slowFeed(true);
    void stream.open(feed, 0);
    const playing = stream.play();
    await Promise.resolve();
    expect(element.play).not.toHaveBeenCalled();
    ready();
    await playing;
    expect(element.play).toHaveBeenCalledOnce();
  });

  it('stays silent where it was paused or closed meanwhile', async () => {
    for (const end of ['pause', 'close'] as const) {
      const { stream, element } = streamOf();
      const { feed, ready } = slowFeed(true);
      void stream.open(feed, 0);
      const playing = stream.play();
      stream[end]();
      ready();
      await playing;
      expect(element.play).not.toHaveBeenCalled();
    }
  });

  it('stands where it is to begin, until it is there', () => {
    const { stream, element } = streamOf();
    void stream.open(slowFeed(true).feed, 700);
    element.says('timeupdate');
    expect(stream.position).toBe(700);
    element.currentTime = 700.1;
    element.says('timeupdate');
    element.currentTime = 702;
    expect(stream.position).toBe(702);
  });

  it('is fed anew from a place that cannot be reached', () => {
    const { stream, element } = streamOf();
    const { feed } = slowFeed(false);
    void stream.open(feed, 0);
    stream.seek(3000);
    expect(feed.attach.mock.calls).toEqual([
      [element, 0],
      [element, 3000],
    ]);
    expect([stream.position, element.currentTime]).toEqual([3000, 0]);
  });

  it('tells nothing more once it is closed', () => {
    const { stream, events, element } = streamOf();
    const { feed } = slowFeed(true);
    void stream.open(feed, 0);
    stream.close();
    for (const name of ['ended', 'waiting', 'error']) element.says(name);
    stream.failed();
    expect(feed.detach).toHaveBeenCalledOnce();
    expect([events.ended, events.failed].map((event) => event.mock.calls.length)).toEqual([0, 0]);
    expect(events.waits).not.toHaveBeenCalledWith(true);
  });
});

it('what is being made leaves out what lies before it; a file does not', async () => {
  const { stream, element } = streamOf();
  const url = (offset: number) => `/sound?offset=${offset}`;
  await stream.open(new Address({ made: true, url }), 60);
  element.currentTime = 5;
  element.says('playing');
  expect([element.src, stream.position]).toEqual(['/sound?offset=60', 65]);
  stream.seek(900);
  expect(element.src).toBe('/sound?offset=900');
  await stream.open(new Address({ made: false, url: () => '/file' }), 60);
  expect([element.src, element.currentTime]).toEqual(['/file', 60]);
});

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { rawCid } from '../content/cid.ts';
import { sha256 } from '../content/verify.ts';
import { FakeCarrier, FakeClock, settled } from './fakes.ts';
import {
  DROPPED_MS,
  HEAD_START_MS,
  Planner,
  SILENCE_MS,
  SLOW_MS,
  STALL_MS,
  type BlockRef,
  type Holder,
} from './planner.ts';
import { StatsStore, type ExchangeEvent } from './stats.ts';

let clock: FakeClock;
let webrtc: FakeCarrier;
let https: FakeCarrier;
let stats: StatsStore;
let planner: Planner;
let events: ExchangeEvent[];
const live = () => new AbortController().signal;

async function block(fill: number, size = 1000): Promise<BlockRef & { bytes: Uint8Array<ArrayBuffer> }> {
  const bytes = new Uint8Array(size).fill(fill);
  return { cid: rawCid(await sha256(bytes)), size, bytes };
}

/** An item that friends hold; those in `having` said that they have its blocks. */
function held(friends: FakeCarrier[], { having = [] as FakeCarrier[], own = false } = {}): Holder {
  const has: Holder['has'] = (carrier) => having.some((one) => one === carrier);
  return { item: 'i', friends, own, owner: own ? undefined : friends[0], has };
}

beforeEach(() => {
  clock = new FakeClock();
  webrtc = new FakeCarrier('webrtc', clock);
  https = new FakeCarrier('https', clock);
  stats = new StatsStore(clock, () => ({ state: 'open', connections: 1, roundTripMs: null }));
  events = [];
  stats.onEvent((event) => events.push(event));
  planner = new Planner({ carriers: [webrtc, https], stats, clock });
});

describe('the planner', () => {
  it('takes blocks over WebRTC while it works, all at once, and joins them in order', async () => {
    const blocks = await Promise.all([block(1), block(2, 500), block(3)]);
    const got = planner.fetchContent({ cid: 'root', size: 2500, blocks }, live());
    await settled();
    expect(webrtc.asked.map(({ request }) => request.target)).toEqual(
      blocks.map(({ cid }) => `/ipfs/${cid}?format=raw`),
    );
    for (const { bytes } of blocks) webrtc.reply(bytes);
    const whole = new Uint8Array(await got);
    expect([whole.length, whole[0], whole[1000], whole[2499]]).toEqual([2500, 1, 2, 3]);
    expect(https.asked).toHaveLength(0);
    expect(stats.snapshot()).toMatchObject({ blocksVerified: 3, sources: { webrtc: { bytes: 2500 } } });
  });

  it("asks the friend's node first for what a friend holds, and the own node for a block of the item", async () => {
    const friend = new FakeCarrier('friend', clock);
    const { bytes, ...ref } = await block(1);
    const got = planner.fetchBlock(ref, live(), undefined, held([friend]));
    await settled();
    expect(friend.asked[0]!.request.target).toBe(`/ipfs/${ref.cid}?format=raw`);
    friend.ready = false;
    await clock.pass(SILENCE_MS + 50);
    expect(webrtc.asked[0]!.request.target).toBe(`/api/v1/items/i/blocks/${ref.cid}`);
    webrtc.reply(bytes);
    expect(await got).toEqual(bytes);
    expect(events).toContainEqual(expect.objectContaining({ type: 'fallback', from: 'friend', to: 'webrtc' }));
  });

  it("gives up on a friend's node that sent wrong bytes", async () => {
    const friend = new FakeCarrier('friend', clock);
    const { bytes, ...ref } = await block(1);
    let asked = 0;
    friend.answer = () => {
      asked += 1;
      return new Uint8Array(1000).fill(9);
    };
    webrtc.answer = () => bytes;
    const holder = held([friend]);
    expect(await planner.fetchBlock(ref, live(), undefined, holder)).toEqual(bytes);
    expect(await planner.fetchBlock(ref, live(), undefined, holder)).toEqual(bytes);
    expect(asked).toBe(1);
    expect(stats.snapshot().blocksWrong).toBe(1);
  });

  it('moves to another friend within 300 ms when the node it asks goes away, and never through the own node', async () => {
    const [bob, carol] = [new FakeCarrier('friend', clock), new FakeCarrier('friend', clock)];
    const holder = held([bob, carol]);
    const { bytes, ...ref } = await block(1);
    const got = planner.fetchBlock(ref, live(), undefined, holder);
    await clock.pass(SILENCE_MS + 80);
    expect(carol.asked[0]!.request.target).toBe(`/ipfs/${ref.cid}?format=raw`);
    carol.reply(bytes);
    expect(await got).toEqual(bytes);
    const next = planner.fetchBlock(ref, live(), undefined, holder);
    await settled();
    carol.reply(bytes);
    expect(await next).toEqual(bytes);
    expect([bob.asked.length, webrtc.asked.length], 'the silent one is not asked again').toEqual([1, 0]);
  });

  it('asks all nodes that have the blocks at once, and the owner of the film for less', async () => {
    const [bob, carol] = [new FakeCarrier('friend', clock), new FakeCarrier('friend', clock)];
    const holder = held([bob, carol], { having: [bob, carol] });
    const blocks = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((fill) => block(fill)));
    const count = { bob: 0, carol: 0 };
    for (const [name, carrier] of Object.entries({ bob, carol }))
      carrier.answer = ({ target, onBytes }) => {
        count[name as 'bob' | 'carol']++;
        onBytes?.(1000);
        return blocks.find(({ cid }) => target.includes(cid))!.bytes;
      };
    const got = await planner.fetchContent({ cid: 'root', size: 10_000, blocks }, live(), undefined, holder);
    expect(got.byteLength).toBe(10_000);
    // One block each to begin with, then one of seven.
    expect(count).toEqual({ bob: 2, carol: 8 });
  });

  it('asks another node that has the block within 180 ms when the first falls silent', async () => {
    const [bob, carol] = [new FakeCarrier('friend', clock), new FakeCarrier('friend', clock)];
    const { bytes, ...ref } = await block(1);
    const having = [carol];
    const holder = held([bob, carol], { having });
    const before = planner.fetchBlock(ref, live(), undefined, holder);
    await settled();
    carol.move(1000);
    carol.reply(bytes);
    await before;
    having.unshift(bob);
    const got = planner.fetchBlock(ref, live(), undefined, holder);
    await settled();
    expect([bob.asked.length, carol.asked.length]).toEqual([1, 0]);
    await clock.pass(180);
    carol.reply(bytes);
    expect(await got).toEqual(bytes);
  });

  it('asks one node alone for what another does not have by the same name', async () => {
    const [bob, carol] = [new FakeCarrier('friend', clock), new FakeCarrier('friend', clock)];
    const blocks = await Promise.all([block(1), block(2)]);
    const holder = held([bob, carol], { having: [] });
    void planner.fetchContent({ cid: 'root', size: 2000, blocks }, live(), undefined, holder).catch(() => {});
    await settled();
    expect([bob.asked.length, carol.asked.length]).toEqual([2, 0]);
  });

  it("leaves friends alone while the own node is quick, and asks them too where it isn't", async () => {
    const friend = new FakeCarrier('friend', clock);
    const holder = held([friend], { having: [friend], own: true });
    const one = await block(1, 1_000_000);
    const first = planner.fetchBlock(one, live(), undefined, holder);
    await settled();
    webrtc.move(1_000_000);
    webrtc.reply(one.bytes);
    await first;
    expect(friend.asked).toHaveLength(0);
    const second = planner.fetchBlock(one, live(), undefined, holder);
    await clock.pass(900);
    webrtc.move(1_000_000);
    webrtc.reply(one.bytes);
    await second;
    const later = [
      planner.fetchBlock(one, live(), undefined, holder),
      planner.fetchBlock(one, live(), undefined, holder),
    ];
    await settled();
    expect([webrtc.asked.length, friend.asked.length]).toEqual([1, 1]);
    webrtc.reply(one.bytes);
    friend.reply(one.bytes);
    await Promise.all(later);
  });

  it('has a slow request joined by a node that will be done sooner', async () => {
    const [bob, carol] = [new FakeCarrier('friend', clock), new FakeCarrier('friend', clock)];
    const { bytes, ...ref } = await block(1);
    const having: FakeCarrier[] = [carol];
    const holder = held([bob, carol], { having });
    const before = planner.fetchBlock(ref, live(), undefined, holder);
    await clock.pass(10);
    carol.move(1000);
    carol.reply(bytes);
    await before;
    having.splice(0, 1, bob);
    const got = planner.fetchBlock(ref, live(), undefined, holder);
    having.push(carol);
    for (let ms = 0; ms <= SLOW_MS; ms += 100) {
      await clock.pass(100);
      bob.move(1);
    }
    expect(carol.asked).toHaveLength(1);
    carol.reply(bytes);
    expect(await got).toEqual(bytes);
  });

  it('has a slow request joined by a node that turns out to have the block, and was never asked before', async () => {
    const [bob, carol] = [new FakeCarrier('friend', clock), new FakeCarrier('friend', clock)];
    const { bytes, ...ref } = await block(1);
    const having: FakeCarrier[] = [bob];
    const got = planner.fetchBlock(ref, live(), undefined, held([bob, carol], { having }));
    await clock.pass(10);
    having.push(carol);
    for (let ms = 0; ms <= SLOW_MS; ms += 100) {
      await clock.pass(100);
      bob.move(1);
    }
    expect(carol.asked).toHaveLength(1);
    carol.reply(bytes);
    expect(await got).toEqual(bytes);
  });

  it('asks HTTPS too within 300 ms when a request hears nothing, and takes what comes first', async () => {
    const { bytes, ...ref } = await block(1);
    const got = planner.fetchBlock(ref, live());
    await clock.pass(SILENCE_MS - 30);
    expect(https.asked).toHaveLength(0);
    await clock.pass(100);
    expect(https.asked).toHaveLength(1);
    expect(clock.now()).toBeLessThan(300);
    const abandoned = webrtc.asked[0]!.request.signal;
    https.reply(bytes);
    expect(await got).toEqual(bytes);
    expect(abandoned.aborted).toBe(true);
    expect(webrtc.probes).toBeGreaterThan(0);
    expect(events[0]).toMatchObject({ type: 'fallback', from: 'webrtc', to: 'https' });
  });

  it('waits for WebRTC that is only just opening, and takes it when it opens', async () => {
    Object.assign(webrtc, { ready: false, openingSince: clock.now() });
    const { bytes, ...ref } = await block(1);
    const got = planner.fetchBlock(ref, live());
    await clock.pass(HEAD_START_MS / 2);
    expect(https.asked).toHaveLength(0);
    Object.assign(webrtc, { ready: true, openingSince: null });
    webrtc.changed();
    await settled();
    webrtc.reply(bytes);
    expect(await got).toEqual(bytes);
    expect(https.asked).toHaveLength(0);
  });

  it('goes to HTTPS when WebRTC has not opened within 300 ms, and waits no second time', async () => {
    Object.assign(webrtc, { ready: false, openingSince: clock.now() });
    const { bytes, ...ref } = await block(1);
    const got = planner.fetchBlock(ref, live());
    await clock.pass(300);
    expect(https.asked).toHaveLength(1);
    https.reply(bytes);
    expect(await got).toEqual(bytes);
    void planner.fetchBlock(ref, live());
    await settled();
    expect(https.asked).toHaveLength(1);
  });

  it('goes to HTTPS at once while WebRTC is silent, and back when it is heard again', async () => {
    const { bytes, ...ref } = await block(1);
    https.answer = () => bytes;
    const first = planner.fetchBlock(ref, live());
    await clock.pass(SILENCE_MS + 50);
    await first;
    await planner.fetchBlock(ref, live());
    expect(stats.snapshot().sources.https.bytes).toBe(2000);
    await clock.pass(10);
    webrtc.heard();
    webrtc.answer = () => bytes;
    await planner.fetchBlock(ref, live());
    expect(stats.snapshot().sources.webrtc.bytes).toBe(1000);
    expect(events).toContainEqual({ type: 'recovered', source: 'webrtc' });
  });

  it('waits longer where the round trip is longer', async () => {
    webrtc.roundTripMs = 150;
    const { bytes, ...ref } = await block(1);
    const got = planner.fetchBlock(ref, live());
    await clock.pass(300);
    expect(https.asked).toHaveLength(0);
    webrtc.reply(bytes);
    await got;
  });

  it('lets a request wait behind others while the connection is alive, but not for ever', async () => {
    const { bytes, ...ref } = await block(1);
    const got = planner.fetchBlock(ref, live());
    for (let ms = 0; ms < STALL_MS - 100; ms += 100) {
      await clock.pass(100);
      webrtc.heard();
    }
    expect(https.asked).toHaveLength(0);
    await clock.pass(200);
    expect(https.asked).toHaveLength(1);
    https.reply(bytes);
    await got;
  });

  it('tells a node that takes its time from a dead connection by a sign of life', async () => {
    const { bytes, ...ref } = await block(1);
    webrtc.probe = () => void clock.after(5, () => webrtc.heard());
    const got = planner.fetchBlock(ref, live());
    await clock.pass(STALL_MS - 100);
    expect(https.asked).toHaveLength(0);
    webrtc.reply(bytes);
    await got;
  });

  it('turns to HTTPS at once when the channel dies with requests under way', async () => {
    const { bytes, ...ref } = await block(1);
    const got = planner.fetchBlock(ref, live());
    await settled();
    webrtc.die();
    await settled();
    https.reply(bytes);
    expect(await got).toEqual(bytes);
    expect(stats.snapshot()).toMatchObject({ failures: 1, current: 'https' });
  });

  it('drops a source that sends wrong bytes and never lets them through', async () => {
    const { bytes, ...ref } = await block(1);
    webrtc.answer = () => new Uint8Array(1000).fill(9);
    https.answer = () => bytes;
    expect(await planner.fetchBlock(ref, live())).toEqual(bytes);
    expect(events[0]).toEqual({ type: 'dropped', source: 'webrtc', cid: ref.cid });
    webrtc.answer = () => bytes;
    await planner.fetchBlock(ref, live());
    expect(stats.snapshot()).toMatchObject({
      blocksWrong: 1,
      sources: { webrtc: { bytes: 0 }, https: { bytes: 2000 } },
    });
    await clock.pass(DROPPED_MS + 1);
    await planner.fetchBlock(ref, live());
    expect(stats.snapshot().sources.webrtc.bytes).toBe(1000);
  });

  it('fails with a reason when every source fails, and keeps nothing unverified', async () => {
    const { bytes: _bytes, ...ref } = await block(1);
    webrtc.ready = false;
    https.answer = () => new Uint8Array(3);
    await expect(planner.fetchBlock(ref, live())).rejects.toThrow(`wrong bytes came for ${ref.cid}`);
    https.answer = undefined;
    const got = planner.fetchBlock(ref, live());
    await settled();
    https.reply(new Uint8Array(), 404);
    await expect(got).rejects.toThrow('404');
    expect(stats.snapshot().blocksVerified).toBe(0);
  });

  it('stops everything under way when the caller aborts', async () => {
    const blocks = await Promise.all([block(1), block(2)]);
    const abort = new AbortController();
    const got = planner.fetchContent({ cid: 'root', size: 2000, blocks }, abort.signal);
    await clock.pass(SILENCE_MS + 50);
    abort.abort(new Error('seeked away'));
    await expect(got).rejects.toThrow('seeked away');
    expect([...webrtc.asked, ...https.asked].every(({ request }) => request.signal.aborted)).toBe(true);
  });

  it('stops the other blocks of a content when one cannot be had', async () => {
    webrtc.ready = false;
    const blocks = await Promise.all([block(1), block(2)]);
    const got = planner.fetchContent({ cid: 'root', size: 2000, blocks }, live());
    await settled();
    https.reply(new Uint8Array(), 404);
    await expect(got).rejects.toThrow('404');
    expect(https.asked[0]!.request.signal.aborted).toBe(true);
  });

  it('keeps no more requests under way than the carrier is worth', async () => {
    const blocks = await Promise.all([1, 2, 3, 4, 5, 6].map((fill) => block(fill)));
    const got = Promise.all(blocks.map((ref) => planner.fetchBlock(ref, live())));
    for (let at = 0; at < blocks.length; at++) {
      await vi.waitFor(() => expect(webrtc.asked).toHaveLength(Math.min(4, blocks.length - at)));
      webrtc.reply(blocks[at]!.bytes);
    }
    await got;
  });
});

describe('the figures', () => {
  it('show speeds of the last two seconds, told at most five times a second', async () => {
    const { bytes, ...ref } = await block(1);
    webrtc.answer = () => bytes;
    const told: number[] = [];
    const stop = stats.subscribe(({ sources }) => told.push(sources.webrtc.speed));
    for (let n = 0; n < 10; n++) await planner.fetchBlock(ref, live());
    expect(told).toEqual([0]);
    await clock.pass(200);
    expect(told).toEqual([0, 5000]);
    await clock.pass(5000);
    expect(told.at(-1)).toBe(0);
    stop();
  });
});

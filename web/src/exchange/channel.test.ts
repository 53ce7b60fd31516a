import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Channel } from './channel.ts';
import { FakeClock } from './fakes.ts';
import { Code, decode, encode, type Frame } from './frames.ts';

const MIB = 1024 * 1024;
let clock: FakeClock;
let sent: Frame[];
let channel: Channel;
const events = { open: vi.fn<() => void>(), closed: vi.fn<() => void>(), roundTrip: vi.fn<() => void>() };
const pipe = { send: (message: Uint8Array) => void sent.push(decode(message)), close: vi.fn() };

const arrive = (frame: Frame) => channel.receive(encode(frame).buffer);
const ask = (sizeMax: number, signal = new AbortController().signal) =>
  channel.request({ target: '/x', sizeMax, signal });
const body = (stream: number, size: number) => arrive({ kind: 'body', stream, data: new Uint8Array(size) });

beforeEach(() => {
  sent = [];
  clock = new FakeClock();
  vi.clearAllMocks();
  channel = new Channel(pipe, events, clock);
  arrive({ kind: 'hello', version: 1, streamsMax: 4, messageMax: 65536, creditMax: 8 * MIB });
  sent = [];
});

describe('a channel', () => {
  it('answers several requests whose parts come mixed', async () => {
    const answers = [ask(100), ask(100)];
    expect(sent).toMatchObject([
      { kind: 'request', stream: 1, end: true, credit: 100, method: 'GET', target: '/x' },
      { kind: 'request', stream: 2 },
    ]);
    arrive({ kind: 'response', stream: 2, status: 404, headers: [['etag', 'x']] });
    arrive({ kind: 'response', stream: 1, status: 200, headers: [] });
    body(1, 3);
    arrive({ kind: 'end', stream: 2 });
    body(1, 4);
    arrive({ kind: 'end', stream: 1 });
    const [first, second] = await Promise.all(answers);
    expect([first!.status, first!.body.length]).toEqual([200, 7]);
    expect([second!.status, second!.headers]).toEqual([404, [['etag', 'x']]]);
    expect(channel.busy).toBe(0);
  });

  it('never gives more credit than it wants to hold, nor than the answer can need', async () => {
    const size = 3 * MIB;
    const answer = ask(size);
    let credit = (sent[0] as { credit: number }).credit;
    const given = () => sent.reduce((sum, frame) => sum + (frame.kind === 'credit' ? frame.bytes : 0), 0);
    arrive({ kind: 'response', stream: 1, status: 200, headers: [] });
    for (let got = 0; got < size; got += 16 * 1024) {
      expect(credit + given() - got).toBeGreaterThanOrEqual(16 * 1024);
      expect(credit + given() - got).toBeLessThanOrEqual(MIB + 64 * 1024);
      body(1, 16 * 1024);
    }
    credit += given();
    expect(credit).toBe(size);
    arrive({ kind: 'end', stream: 1 });
    expect((await answer).body.length).toBe(size);
  });

  it('cancels at the node what the caller aborts', async () => {
    const abort = new AbortController();
    const answer = ask(100, abort.signal);
    abort.abort(new Error('enough'));
    await expect(answer).rejects.toThrow('enough');
    expect(sent.at(-1)).toEqual({ kind: 'cancel', stream: 1 });
    body(1, 5);
    expect(channel.usable).toBe(true);
  });

  it('refuses an answer that is longer than asked for', async () => {
    const answer = ask(10);
    arrive({ kind: 'response', stream: 1, status: 200, headers: [] });
    body(1, 11);
    await expect(answer).rejects.toThrow('longer');
    expect(sent.at(-1)).toEqual({ kind: 'cancel', stream: 1 });
  });

  it('fails a request that the node refuses and goes on', async () => {
    const answer = ask(10);
    arrive({ kind: 'error', stream: 1, code: Code.Limit, text: 'too many requests at once' });
    await expect(answer).rejects.toThrow('too many');
    expect(channel.free).toBe(true);
  });

  it('fails everything when it closes or hears what it cannot understand', async () => {
    const answers = [ask(10), ask(10)];
    channel.receive(new Uint8Array([99, 0, 0, 0, 1]).buffer);
    for (const answer of answers) await expect(answer).rejects.toThrow('not understood');
    expect(events.closed).toHaveBeenCalledOnce();
    await expect(ask(10)).rejects.toThrow('no request');
  });

  it('takes no more requests than the node does', async () => {
    for (let n = 0; n < 4; n++) ask(10).catch(() => {});
    expect(channel.free).toBe(false);
    await expect(ask(10)).rejects.toThrow('no request');
  });

  it('knows when it is silent, by a ping without an answer', async () => {
    channel.ping();
    await clock.pass(400);
    expect(channel.isSilent(300)).toBe(true);
    arrive({ kind: 'pong', token: 1n });
    expect(channel.isSilent(300)).toBe(false);
    expect(events.roundTrip).toHaveBeenCalledWith(400);
  });

  it('sends a body in parts', async () => {
    const parts = new Uint8Array(40_000);
    const signal = new AbortController().signal;
    channel.request({ method: 'PUT', target: '/x', body: parts, sizeMax: 10, signal }).catch(() => {});
    expect(sent[0]).toMatchObject({ kind: 'request', end: false });
    const bodies = sent.slice(1) as { data: Uint8Array; end: boolean }[];
    expect(bodies.map(({ end }) => end)).toEqual([false, false, true]);
    expect(bodies.reduce((sum, { data }) => sum + data.length, 0)).toBe(40_000);
  });
});

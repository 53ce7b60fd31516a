import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from './fakes.ts';
import { decode, encode, type Frame } from './frames.ts';
import { WebRtcCarrier, connectionsFor } from './webrtc.ts';

/** As much of `RTCPeerConnection` as the carrier uses, with a node behind it that greets and answers pings. */
class FakePeer {
  connectionState = 'new';
  iceGatheringState = 'complete';
  localDescription = { sdp: 'offer' };
  onconnectionstatechange: (() => void) | null = null;
  closed = false;
  mute = false;
  pipe = {
    binaryType: '',
    onopen: null as (() => void) | null,
    onclose: null as (() => void) | null,
    onmessage: null as ((event: { data: ArrayBuffer }) => void) | null,
    send: (message: Uint8Array) => this.#sent(decode(message)),
    close: () => {},
  };

  constructor(readonly roundTripMs: number) {}

  createDataChannel() {
    return this.pipe;
  }
  async setLocalDescription() {}
  async setRemoteDescription() {
    if (reachable) clock.after(1, () => this.pipe.onopen?.());
  }
  close() {
    this.closed = true;
  }

  say(frame: Frame) {
    this.pipe.onmessage?.({ data: encode(frame).buffer });
  }

  #sent(frame: Frame) {
    if (this.mute) return;
    const hello: Frame = { kind: 'hello', version: 1, streamsMax: 16, messageMax: 65536, creditMax: 1 << 23 };
    if (frame.kind === 'hello') clock.after(0, () => this.say(hello));
    if (frame.kind === 'ping') clock.after(this.roundTripMs, () => this.say({ kind: 'pong', token: frame.token }));
  }
}

let clock: FakeClock;
let peers: FakePeer[];
let offers: string[];
let reachable = true;
let enabledAtNode = true;

function carrier(roundTripMs: number): WebRtcCarrier {
  return new WebRtcCarrier({
    clock,
    settings: async () => ({ enabled: enabledAtNode, ice_servers: [], connections_max: 8 }),
    signal: async (sdp) => {
      offers.push(sdp);
      return 'answer';
    },
    createConnection: () => {
      const peer = new FakePeer(roundTripMs);
      peers.push(peer);
      return peer as unknown as RTCPeerConnection;
    },
  });
}

beforeEach(() => {
  clock = new FakeClock();
  [peers, offers, reachable, enabledAtNode] = [[], [], true, true];
});

describe('the WebRTC carrier', () => {
  it('keeps one connection on a short path and up to eight on a long one', async () => {
    expect([0.2, 8, 9, 25, 50, 300].map((ms) => connectionsFor(ms, 8))).toEqual([1, 1, 2, 4, 7, 8]);
    const near = carrier(1);
    near.setEnabled(true);
    await clock.pass(3000);
    expect(near.connections).toBe(1);
    const far = carrier(100);
    far.setEnabled(true);
    await clock.pass(3000);
    expect([far.connections, far.roundTripMs]).toEqual([8, 100]);
  });

  it('keeps trying, more and more seldom, while UDP is blocked, and is there when it works', async () => {
    reachable = false;
    const blocked = carrier(1);
    blocked.setEnabled(true);
    await clock.pass(120_000);
    expect(blocked.ready).toBe(false);
    expect(offers.length).toBeGreaterThan(4);
    expect(offers.length).toBeLessThan(9);
    expect(peers.every(({ closed }) => closed)).toBe(true);
    reachable = true;
    await clock.pass(60_000);
    expect(blocked.ready).toBe(true);
  });

  it('replaces a connection that has gone silent', async () => {
    const silent = carrier(1);
    silent.setEnabled(true);
    await clock.pass(1000);
    peers[0]!.mute = true;
    silent.probe();
    await clock.pass(5000);
    expect(peers[0]!.closed).toBe(true);
    expect([silent.ready, peers.length]).toEqual([true, 2]);
  });

  it('replaces a connection that the node closes, and one that fails', async () => {
    const closing = carrier(1);
    closing.setEnabled(true);
    await clock.pass(1000);
    peers[0]!.say({ kind: 'close', code: 5, text: 'the node is stopping' });
    expect(closing.ready).toBe(false);
    await clock.pass(2000);
    peers[1]!.connectionState = 'failed';
    peers[1]!.onconnectionstatechange?.();
    await clock.pass(2000);
    expect([closing.ready, peers.length]).toEqual([true, 3]);
  });

  it('closes everything when switched off, and makes no offer to a node that has it off', async () => {
    const off = carrier(1);
    off.setEnabled(true);
    await clock.pass(1000);
    off.setEnabled(false);
    await clock.pass(100_000);
    expect([off.ready, peers.length, peers[0]!.closed]).toEqual([false, 1, true]);
    enabledAtNode = false;
    off.setEnabled(true);
    await clock.pass(10_000);
    expect(offers).toHaveLength(1);
  });
});

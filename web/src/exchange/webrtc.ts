/**
 * The carrier over WebRTC: one to eight connections to the node, as many as the round trip asks for, kept alive and
 * made again in the background for as long as it is enabled.
 *
 * One connection carries about 64 KiB a round trip, because more would overrun the browser's own receive buffer.
 */
import { CarrierError, type Carrier, type CarrierAnswer, type CarrierRequest, type Source } from './carrier.ts';
import { Channel } from './channel.ts';
import { realClock, type Clock } from './clock.ts';

/** What the page needs before it makes an offer: the answer to `GET /api/v1/webrtc`. */
export interface WebRtcSettings {
  enabled: boolean;
  ice_servers: string[];
  connections_max: number;
}

export interface WebRtcOptions {
  settings: (signal: AbortSignal) => Promise<WebRtcSettings>;
  /** The node's answer to an offer. */
  signal: (sdp: string, signal: AbortSignal) => Promise<string>;
  /** Whose node it leads to; default the own. */
  source?: Source;
  /** Whose node it leads to (an id), where that is a friend's. */
  friend?: string;
  clock?: Clock;
  createConnection?: (configuration: RTCConfiguration) => RTCPeerConnection;
}

const HANDSHAKE_MS = 10_000;
const PING_MS = 15_000;
/** A channel that leaves a ping unanswered for this long is dead. */
const DEAD_MS = 2_000;
/** One that leaves a ping unanswered for this long is asked nothing while there are others. */
const SUSPECT_MS = 300;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;
/** A round trip of this length is worth one more connection. */
const ROUND_TRIP_PER_CONNECTION_MS = 8;
/** Candidates that STUN servers give are waited for this long. */
const GATHER_MS = 500;

/** Connections that a path with this round trip is worth. */
export function connectionsFor(roundTripMs: number, most: number): number {
  return Math.max(1, Math.min(most, 8, Math.ceil(roundTripMs / ROUND_TRIP_PER_CONNECTION_MS)));
}

interface Connection {
  peer: RTCPeerConnection;
  channel?: Channel;
  stop: () => void;
}

export class WebRtcCarrier implements Carrier {
  readonly source: Source;
  readonly friend?: string;
  #options: WebRtcOptions;
  #clock: Clock;
  #connections = new Set<Connection>();
  #listeners = new Set<() => void>();
  #wanted = 1;
  #roundTrip = Infinity;
  #backoff = BACKOFF_FIRST_MS;
  #retry: (() => void) | undefined;
  #enabled = false;
  #openingSince: number | null = null;
  #ending = new AbortController();
  #beat: (() => void) | undefined;
  #settings: WebRtcSettings | undefined;

  constructor(options: WebRtcOptions) {
    this.#options = options;
    this.source = options.source ?? 'webrtc';
    if (options.friend) this.friend = options.friend;
    this.#clock = options.clock ?? realClock;
  }

  /** Starts connecting, or closes everything and stays silent. */
  setEnabled(enabled: boolean): void {
    if (enabled === this.#enabled) return;
    this.#enabled = enabled;
    this.#openingSince = enabled ? this.#clock.now() : null;
    if (enabled) {
      this.#settings = undefined;
      this.#ending = new AbortController();
      globalThis.addEventListener?.('online', this.#hurry, { signal: this.#ending.signal });
      this.#keepAlive();
      this.#fill();
    } else {
      this.#ending.abort();
      this.#retry?.();
      this.#retry = undefined;
      this.#beat?.();
      for (const connection of [...this.#connections]) this.#drop(connection, 'WebRTC is switched off');
    }
    this.#changed();
  }

  get ready(): boolean {
    return this.#channels().length > 0;
  }

  get openingSince(): number | null {
    return this.#openingSince;
  }

  get heardAt(): number {
    return Math.max(-Infinity, ...this.#channels().map((channel) => channel.heardAt));
  }

  get parallel(): number {
    return 4 + 2 * this.#channels().length;
  }

  /** Open connections. */
  get connections(): number {
    return this.#channels().length;
  }

  /** Milliseconds; the shortest lately measured. */
  get roundTripMs(): number | null {
    return Number.isFinite(this.#roundTrip) ? this.#roundTrip : null;
  }

  request(request: CarrierRequest): Promise<CarrierAnswer> {
    const free = this.#channels().filter((channel) => channel.free);
    const order = (channel: Channel) => channel.busy + (channel.isSilent(SUSPECT_MS) ? 1000 : 0);
    const best = free.sort((a, b) => order(a) - order(b))[0];
    return best ? best.request(request) : Promise.reject(new CarrierError('no WebRTC channel is free'));
  }

  probe(): void {
    for (const channel of this.#channels()) channel.ping();
    this.#clock.after(DEAD_MS + 100, () => {
      for (const connection of [...this.#connections]) {
        if (connection.channel?.isSilent(DEAD_MS)) this.#drop(connection, 'the channel is silent');
      }
    });
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.setEnabled(false);
    this.#listeners.clear();
  }

  #channels(): Channel[] {
    return [...this.#connections].flatMap(({ channel }) => (channel?.usable ? [channel] : []));
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #hurry = (): void => {
    this.#backoff = BACKOFF_FIRST_MS;
    this.#retry?.();
    this.#retry = undefined;
    this.#fill();
  };

  /** Makes the connections that are missing, one after the other: the first tells how many are worth having. */
  #fill(): void {
    if (!this.#enabled || this.#retry) return;
    const opening = [...this.#connections].some(({ channel }) => !channel?.usable);
    if (opening || this.#connections.size >= this.#wanted) return;
    const attempt = this.#connect();
    attempt.then(
      () => {
        this.#backoff = BACKOFF_FIRST_MS;
        this.#fill();
      },
      () => this.#later(),
    );
  }

  #later(): void {
    this.#openingSince = null;
    this.#changed();
    if (!this.#enabled || this.#retry) return;
    this.#retry = this.#clock.after(this.#backoff, () => {
      this.#retry = undefined;
      this.#fill();
    });
    this.#backoff = Math.min(this.#backoff * 2, BACKOFF_MAX_MS);
  }

  async #connect(): Promise<void> {
    const ending = this.#ending.signal;
    const placeholder: Connection = { peer: undefined as unknown as RTCPeerConnection, stop: () => {} };
    this.#connections.add(placeholder);
    try {
      this.#settings ??= await this.#options.settings(ending);
      ending.throwIfAborted();
      if (!this.#settings.enabled) throw new CarrierError('the node has WebRTC switched off');
      await this.#handshake(placeholder, this.#settings, ending);
    } catch (error) {
      // The owner may have changed them; they are asked for again with the next try.
      this.#settings = undefined;
      this.#drop(placeholder, String(error));
      throw error;
    }
  }

  async #handshake(connection: Connection, settings: WebRtcSettings, ending: AbortSignal): Promise<void> {
    const iceServers = settings.ice_servers.length > 0 ? [{ urls: settings.ice_servers }] : [];
    const create = this.#options.createConnection ?? ((configuration) => new RTCPeerConnection(configuration));
    const peer = create({ iceServers });
    connection.peer = peer;
    const pipe = peer.createDataChannel('potluck');
    pipe.binaryType = 'arraybuffer';
    const opened = this.#opened(connection, pipe, ending);
    // What `opened` ends with is waited for below, after the signalling.
    opened.catch(() => {});
    await peer.setLocalDescription();
    if (iceServers.length > 0) await gathered(peer, this.#clock);
    const answer = await this.#options.signal(peer.localDescription?.sdp ?? '', ending);
    await peer.setRemoteDescription({ type: 'answer', sdp: answer });
    await opened;
  }

  /** Settles when the node has greeted on the channel, or never will. */
  #opened(connection: Connection, pipe: RTCDataChannel, ending: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string) => {
        cancel();
        reject(new CarrierError(reason));
        this.#drop(connection, reason);
      };
      const cancel = this.#clock.after(HANDSHAKE_MS, () => fail('the handshake took too long'));
      const off = () => fail('WebRTC is switched off');
      ending.addEventListener('abort', off, { once: true });
      connection.stop = () => {
        cancel();
        ending.removeEventListener('abort', off);
      };
      const events = {
        open: () => {
          cancel();
          this.#openingSince = null;
          resolve();
          connection.channel?.ping();
          this.#changed();
        },
        closed: fail,
        roundTrip: (ms: number) => this.#measured(ms),
      };
      pipe.onopen = () => {
        const channel = new Channel(pipe, events, this.#clock);
        connection.channel = channel;
        pipe.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => channel.receive(data);
      };
      pipe.onclose = () => (connection.channel ? connection.channel.close('the channel closed') : fail('no channel'));
      connection.peer.onconnectionstatechange = () => {
        if (['failed', 'closed'].includes(connection.peer.connectionState)) fail('the connection failed');
      };
    });
  }

  #measured(roundTripMs: number): void {
    // A busy channel's pings wait behind its data, so only the shortest tells the path; it may grow slowly again.
    this.#roundTrip = Math.min(roundTripMs, this.#roundTrip * 1.1);
    this.#wanted = connectionsFor(this.#roundTrip, this.#settings?.connections_max ?? 1);
    this.#fill();
  }

  #drop(connection: Connection, reason: string): void {
    if (!this.#connections.delete(connection)) return;
    connection.stop();
    connection.channel?.close(reason);
    connection.peer?.close();
    this.#changed();
    if (connection.channel) this.#later();
  }

  #keepAlive(): void {
    this.#beat = this.#clock.after(PING_MS, () => {
      this.probe();
      this.#keepAlive();
    });
  }
}

/** All candidates are known, or it took too long. */
function gathered(peer: RTCPeerConnection, clock: Clock): Promise<void> {
  if (peer.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise((resolve) => {
    clock.after(GATHER_MS, resolve);
    peer.addEventListener('icegatheringstatechange', () => {
      if (peer.iceGatheringState === 'complete') resolve();
    });
  });
}

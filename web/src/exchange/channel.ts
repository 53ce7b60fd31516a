/**
 * Requests on one data channel: numbers them, gives credit as they are read, and settles each exactly once.
 *
 * The node sends body bytes only against credit, so what can pile up in the browser is `credit` a request and no more.
 */
import { CarrierError, type CarrierAnswer, type CarrierRequest } from './carrier.ts';
import { realClock, type Clock } from './clock.ts';
import { BODY_MAX, Code, MESSAGE_MAX, VERSION, decode, encode, type Frame, type Header } from './frames.ts';
import { joined } from './https.ts';

/** The part of `RTCDataChannel` that is used. */
export interface Pipe {
  send(message: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** Unused credit of one request at most, bytes: a block and some. */
const CREDIT = 1024 * 1024 + 64 * 1024;

interface Pending {
  request: CarrierRequest;
  status: number;
  headers: Header[];
  parts: Uint8Array[];
  length: number;
  /** Given and not used yet, bytes. */
  credit: number;
  resolve: (answer: CarrierAnswer) => void;
  reject: (reason: unknown) => void;
  onAbort: () => void;
}

export interface ChannelEvents {
  /** The node greeted: requests can be made. */
  open(): void;
  /** Nothing more will come. */
  closed(reason: string): void;
  /** A ping came back after this many milliseconds. */
  roundTrip(ms: number): void;
}

export class Channel {
  heardAt: number;
  /** Requests at once that the node takes; 0 before its hello. */
  streamsMax = 0;
  #pipe: Pipe;
  #events: ChannelEvents;
  #clock: Clock;
  #last = 0;
  #pending = new Map<number, Pending>();
  #closed = false;
  #pings = new Map<bigint, number>();
  #token = 0n;

  constructor(pipe: Pipe, events: ChannelEvents, clock: Clock = realClock) {
    this.#pipe = pipe;
    this.#events = events;
    this.#clock = clock;
    this.heardAt = clock.now();
    this.#send({ kind: 'hello', version: VERSION, streamsMax: 0, messageMax: MESSAGE_MAX, creditMax: 0 });
  }

  /** Requests without an answer so far. */
  get busy(): number {
    return this.#pending.size;
  }

  get usable(): boolean {
    return !this.#closed && this.streamsMax > 0;
  }

  /** Can take one more request. */
  get free(): boolean {
    return this.usable && this.busy < this.streamsMax;
  }

  request(request: CarrierRequest): Promise<CarrierAnswer> {
    if (!this.free) return Promise.reject(new CarrierError('the channel takes no request'));
    if (request.signal.aborted) return Promise.reject(request.signal.reason);
    return new Promise((resolve, reject) => {
      const stream = ++this.#last;
      const credit = Math.min(CREDIT, Math.max(request.sizeMax, 1));
      const onAbort = () => {
        this.#send({ kind: 'cancel', stream });
        this.#settle(stream)?.reject(request.signal.reason);
      };
      const blank = { status: 0, headers: [], parts: [], length: 0 };
      this.#pending.set(stream, { ...blank, request, credit, resolve, reject, onAbort });
      request.signal.addEventListener('abort', onAbort, { once: true });
      this.#ask(stream, credit, request);
    });
  }

  #ask(stream: number, credit: number, request: CarrierRequest): void {
    const { method = 'GET', target, headers = [], body } = request;
    this.#send({ kind: 'request', stream, end: !body, credit, method, target, headers });
    if (!body) return;
    for (let at = 0; at === 0 || at < body.length; at += BODY_MAX) {
      const data = body.subarray(at, at + BODY_MAX);
      this.#send({ kind: 'requestBody', stream, end: at + BODY_MAX >= body.length, data });
    }
  }

  /** A ping has waited for an answer for `ms` without a word. */
  isSilent(ms: number): boolean {
    const [oldest] = this.#pings.values();
    return oldest !== undefined && oldest >= this.heardAt && this.#clock.now() - oldest > ms;
  }

  /** Asks for a sign of life. */
  ping(): void {
    this.#token += 1n;
    this.#pings.set(this.#token, this.#clock.now());
    this.#send({ kind: 'ping', token: this.#token });
  }

  /** Takes one message of the data channel. */
  receive(message: ArrayBuffer): void {
    if (this.#closed) return;
    this.heardAt = this.#clock.now();
    for (const { request } of this.#pending.values()) request.onAlive?.();
    try {
      this.#frame(decode(new Uint8Array(message)));
    } catch (error) {
      this.close(`the node sent what is not understood: ${String(error)}`);
    }
  }

  /** Ends it and every request on it. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#send({ kind: 'close', code: Code.Gone, text: '' });
    this.#closed = true;
    for (const stream of [...this.#pending.keys()]) this.#settle(stream)?.reject(new CarrierError(reason));
    this.#pipe.close();
    this.#events.closed(reason);
  }

  #send(frame: Frame): void {
    if (this.#closed) return;
    try {
      this.#pipe.send(encode(frame));
    } catch {
      // The pipe is closing: its own event follows.
    }
  }

  #frame(frame: Frame): void {
    switch (frame.kind) {
      case 'hello':
        this.streamsMax = frame.streamsMax;
        return this.#events.open();
      case 'response':
        return this.#head(frame.stream, frame.status, frame.headers);
      case 'body':
        return this.#body(frame.stream, frame.data);
      case 'end':
        return this.#end(frame.stream);
      case 'error':
        this.#settle(frame.stream)?.reject(new CarrierError(frame.text || 'the request was refused'));
        return;
      case 'close':
        return this.close(frame.text || 'the node closed the channel');
      case 'ping':
        return this.#send({ kind: 'pong', token: frame.token });
      case 'pong': {
        const sent = this.#pings.get(frame.token);
        for (const token of this.#pings.keys()) if (token <= frame.token) this.#pings.delete(token);
        if (sent !== undefined) this.#events.roundTrip(this.#clock.now() - sent);
        return;
      }
      default:
        throw new Error(`a ${frame.kind} where only answers are expected`);
    }
  }

  #head(stream: number, status: number, headers: Header[]): void {
    const pending = this.#pending.get(stream);
    if (pending) [pending.status, pending.headers] = [status, headers];
  }

  #body(stream: number, data: Uint8Array): void {
    const pending = this.#pending.get(stream);
    if (!pending) return;
    pending.length += data.length;
    pending.credit -= data.length;
    pending.parts.push(data);
    pending.request.onBytes?.(data.length);
    const rest = pending.request.sizeMax - pending.length;
    if (rest < 0) {
      this.#send({ kind: 'cancel', stream });
      this.#settle(stream)?.reject(new CarrierError('the answer is longer than it should be'));
    } else if (pending.credit < CREDIT / 2 && pending.credit < rest) {
      const bytes = Math.min(CREDIT, rest) - pending.credit;
      pending.credit += bytes;
      this.#send({ kind: 'credit', stream, bytes });
    }
  }

  #end(stream: number): void {
    const pending = this.#settle(stream);
    if (!pending) return;
    const { status, headers, parts, length } = pending;
    if (status === 0) pending.reject(new CarrierError('the answer has no head'));
    else pending.resolve({ status, headers, body: joined(parts, length) });
  }

  #settle(stream: number): Pending | undefined {
    const pending = this.#pending.get(stream);
    this.#pending.delete(stream);
    pending?.request.signal.removeEventListener('abort', pending.onAbort);
    return pending;
  }
}

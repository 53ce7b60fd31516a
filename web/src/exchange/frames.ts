/**
 * HTTP requests and responses as messages on a data channel: the codec, the twin of the node's `exchange/frames`.
 * One message holds one frame: `kind: u8 | stream: u32 | body`, numbers big-endian. Stream 0 is the connection itself.
 * `docs/formats.md`, "Frames", describes the format. Reading never trusts a length: it throws `FrameError`.
 */

export const VERSION = 1;
/** Longest message this side accepts. */
export const MESSAGE_MAX = 64 * 1024;
/** Longest message this side sends. */
export const MESSAGE_SENT_MAX = 16 * 1024;
/** Bytes of a frame before its body. */
export const FRAME_HEAD = 5;
/** Most bytes of a request body in one message: less its flag. */
export const BODY_MAX = MESSAGE_SENT_MAX - FRAME_HEAD - 1;
export const HEADERS_MAX = 64;
export const TARGET_MAX = 8 * 1024;
export const VALUE_MAX = 8 * 1024;
export const TEXT_MAX = 1024;

/** Name in lower case, value as Latin-1. */
export type Header = [name: string, value: string];

/** Why a request or a connection ended. */
export const Code = { Protocol: 1, Limit: 2, Failed: 3, Timeout: 4, Gone: 5 } as const;
export type Code = (typeof Code)[keyof typeof Code];

export type Frame =
  | { kind: 'hello'; version: number; streamsMax: number; messageMax: number; creditMax: number }
  | {
      kind: 'request';
      stream: number;
      end: boolean;
      credit: number;
      method: string;
      target: string;
      headers: Header[];
    }
  | { kind: 'requestBody'; stream: number; end: boolean; data: Uint8Array }
  | { kind: 'credit'; stream: number; bytes: number }
  | { kind: 'cancel'; stream: number }
  | { kind: 'response'; stream: number; status: number; headers: Header[] }
  | { kind: 'body'; stream: number; data: Uint8Array }
  | { kind: 'end'; stream: number }
  | { kind: 'error'; stream: number; code: Code; text: string }
  | { kind: 'close'; code: Code; text: string }
  | { kind: 'ping'; token: bigint }
  | { kind: 'pong'; token: bigint };

/** The other side sent what is no frame. */
export class FrameError extends Error {
  override name = 'FrameError';
}

const KINDS = [
  'hello',
  'request',
  'requestBody',
  'credit',
  'cancel',
  'response',
  'body',
  'end',
  'error',
  'close',
  'ping',
  'pong',
] as const;

const OF_CONNECTION = new Set<string>(['hello', 'close', 'ping', 'pong']);

/** Writes one message. */
export function encode(frame: Frame): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  out.u8(KINDS.indexOf(frame.kind) + 1);
  out.u32('stream' in frame ? frame.stream : 0);
  switch (frame.kind) {
    case 'hello':
      out.u16(frame.version).u16(frame.streamsMax).u32(frame.messageMax).u32(frame.creditMax);
      break;
    case 'request':
      out
        .u8(frame.end ? 1 : 0)
        .u32(frame.credit)
        .short(frame.method)
        .long(frame.target)
        .headers(frame.headers);
      break;
    case 'requestBody':
      out.u8(frame.end ? 1 : 0).bytes(frame.data);
      break;
    case 'credit':
      out.u32(frame.bytes);
      break;
    case 'response':
      out.u16(frame.status).headers(frame.headers);
      break;
    case 'body':
      out.bytes(frame.data);
      break;
    case 'error':
    case 'close':
      out.u8(frame.code).bytes(new TextEncoder().encode(frame.text).slice(0, TEXT_MAX));
      break;
    case 'ping':
    case 'pong':
      out.u64(frame.token);
      break;
    case 'cancel':
    case 'end':
      break;
  }
  return out.done();
}

/** Reads one message; body data is a view into it. */
export function decode(message: Uint8Array): Frame {
  if (message.length > MESSAGE_MAX) throw new FrameError(`a message of ${message.length} bytes is too long`);
  const read = new Reader(message);
  const kind = KINDS[read.u8() - 1];
  const stream = read.u32();
  if (kind === undefined) throw new FrameError(`${message[0]} is no kind of frame`);
  if (OF_CONNECTION.has(kind) !== (stream === 0)) throw new FrameError(`stream ${stream} cannot carry this frame`);
  const frame = decodeBody(kind, stream, read);
  read.finish();
  return frame;
}

function decodeBody(kind: (typeof KINDS)[number], stream: number, read: Reader): Frame {
  switch (kind) {
    case 'hello':
      return { kind, version: read.u16(), streamsMax: read.u16(), messageMax: read.u32(), creditMax: read.u32() };
    case 'request':
      return {
        kind,
        stream,
        end: read.flag(),
        credit: read.u32(),
        method: read.token(),
        target: read.target(),
        headers: read.headers(),
      };
    case 'requestBody':
      return { kind, stream, end: read.flag(), data: read.rest() };
    case 'credit':
      return { kind, stream, bytes: read.u32() };
    case 'response':
      return { kind, stream, status: read.status(), headers: read.headers() };
    case 'body':
      return { kind, stream, data: read.rest() };
    case 'error':
      return { kind, stream, code: read.code(), text: read.text() };
    case 'close':
      return { kind, code: read.code(), text: read.text() };
    case 'ping':
    case 'pong':
      return { kind, token: read.u64() };
    case 'cancel':
    case 'end':
      return { kind, stream };
  }
}

function latin1(text: string, max: number): Uint8Array {
  const bytes = new Uint8Array(Math.min(text.length, max));
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  #room(count: number): DataView {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    const view = new DataView(this.#bytes.buffer, this.#length);
    this.#length = needed;
    return view;
  }

  u8(value: number): this {
    this.#room(1).setUint8(0, value);
    return this;
  }
  u16(value: number): this {
    this.#room(2).setUint16(0, value);
    return this;
  }
  u32(value: number): this {
    this.#room(4).setUint32(0, value);
    return this;
  }
  u64(value: bigint): this {
    this.#room(8).setBigUint64(0, value);
    return this;
  }
  bytes(data: Uint8Array): this {
    const start = this.#length;
    this.#room(data.length);
    this.#bytes.set(data, start);
    return this;
  }
  short(text: string): this {
    const bytes = latin1(text, 255);
    return this.u8(bytes.length).bytes(bytes);
  }
  long(text: string): this {
    const bytes = latin1(text, VALUE_MAX);
    return this.u16(bytes.length).bytes(bytes);
  }
  headers(headers: Header[]): this {
    const kept = headers.slice(0, HEADERS_MAX);
    this.u8(kept.length);
    for (const [name, value] of kept) this.short(name).long(value);
    return this;
  }
  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}

class Reader {
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new FrameError('the frame is cut short');
    this.#at += count;
    return at;
  }

  u8 = (): number => this.#view.getUint8(this.#take(1));
  u16 = (): number => this.#view.getUint16(this.#take(2));
  u32 = (): number => this.#view.getUint32(this.#take(4));
  u64 = (): bigint => this.#view.getBigUint64(this.#take(8));

  #latin1(count: number): string {
    const at = this.#take(count);
    return String.fromCharCode(...this.#bytes.subarray(at, at + count));
  }

  rest(): Uint8Array {
    const from = this.#take(this.#bytes.length - this.#at);
    return this.#bytes.subarray(from);
  }

  flag(): boolean {
    const value = this.u8();
    if (value > 1) throw new FrameError("the frame's flag is not valid");
    return value === 1;
  }

  status(): number {
    const status = this.u16();
    if (status < 100 || status > 999) throw new FrameError("the frame's status is not valid");
    return status;
  }

  code(): Code {
    const code = this.u8();
    if (code < Code.Protocol || code > Code.Gone) throw new FrameError("the frame's code is not valid");
    return code as Code;
  }

  token(): string {
    const text = this.#latin1(this.u8());
    if (!/^[!-~]+$/.test(text)) throw new FrameError("the frame's token is not valid");
    return text;
  }

  target(): string {
    const text = this.#latin1(this.u16());
    if (text.length > TARGET_MAX || !/^\/[!-~]*$/.test(text)) throw new FrameError("the frame's target is not valid");
    return text;
  }

  headers(): Header[] {
    const count = this.u8();
    if (count > HEADERS_MAX) throw new FrameError("the frame's header count is not valid");
    return Array.from({ length: count }, (): Header => {
      const name = this.token();
      const value = this.#latin1(this.u16());
      if (value.length > VALUE_MAX || /[\0\r\n]/.test(value)) {
        throw new FrameError("the frame's header value is not valid");
      }
      return [name, value];
    });
  }

  text(): string {
    const bytes = this.rest();
    if (bytes.length > TEXT_MAX) throw new FrameError("the frame's text is not valid");
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new FrameError("the frame's text is not valid");
    }
  }

  finish(): void {
    const rest = this.#bytes.length - this.#at;
    if (rest > 0) throw new FrameError(`${rest} bytes follow the frame`);
  }
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Code, FrameError, MESSAGE_MAX, decode, encode, type Frame, type Header } from './frames.ts';

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const stream = fc.integer({ min: 1, max: 0xffffffff });
const data = fc.uint8Array({ maxLength: 2000 });
const text = fc.string({ maxLength: 100, unit: 'grapheme' });
const code = fc.constantFrom(...Object.values(Code));
const value = fc.string({ maxLength: 60, unit: fc.integer({ min: 32, max: 255 }).map((c) => String.fromCharCode(c)) });
const headers = fc.array(fc.tuple(fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/), value) as fc.Arbitrary<Header>, {
  maxLength: 8,
});

const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constant('hello'), version: u16, streamsMax: u16, messageMax: u32, creditMax: u32 } as const),
  fc.record({
    kind: fc.constant('request'),
    stream,
    end: fc.boolean(),
    credit: u32,
    method: fc.stringMatching(/^[A-Z]{1,12}$/),
    target: fc.stringMatching(/^\/[!-~]{0,200}$/),
    headers,
  } as const),
  fc.record({ kind: fc.constant('requestBody'), stream, end: fc.boolean(), data } as const),
  fc.record({ kind: fc.constant('credit'), stream, bytes: u32 } as const),
  fc.record({ kind: fc.constantFrom('cancel', 'end'), stream } as const),
  fc.record({ kind: fc.constant('response'), stream, status: fc.integer({ min: 100, max: 999 }), headers } as const),
  fc.record({ kind: fc.constant('body'), stream, data } as const),
  fc.record({ kind: fc.constant('error'), stream, code, text } as const),
  fc.record({ kind: fc.constant('close'), code, text } as const),
  fc.record({ kind: fc.constantFrom('ping', 'pong'), token: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) } as const),
);

const bytesOf = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

describe('frames', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(frame, (frame) => {
        expect(decode(encode(frame))).toEqual(frame);
      }),
    );
  });

  it('that are garbage are refused or read, never anything else', () => {
    fc.assert(
      fc.property(fc.nat(14), fc.nat(2), fc.uint8Array({ maxLength: 300 }), (kind, stream, rest) => {
        const message = new Uint8Array([kind, 0, 0, 0, stream, ...rest]);
        try {
          expect(decode(encode(decode(message)))).toEqual(decode(message));
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('look on the wire as documented, and as the node writes them', () => {
    const request: Frame = {
      kind: 'request',
      stream: 258,
      end: true,
      credit: 65536,
      method: 'GET',
      target: '/a',
      headers: [['accept', '*/*']],
    };
    expect(encode(request)).toEqual(bytesOf('\x02\0\0\x01\x02\x01\0\x01\0\0\x03GET\0\x02/a\x01\x06accept\0\x03*/*'));
  });

  it.each([
    ['', 'cut short'],
    ['\x63\0\0\0\x01', 'no kind'],
    ['\x02\0\0\0\0', 'stream 0'],
    ['\x0b\0\0\0\x07\0\0\0\0\0\0\0\0', 'stream 7'],
    ['\x05\0\0\0\x01x', '1 bytes follow'],
    ['\x03\0\0\0\x01\x02', 'flag'],
    ['\x06\0\0\0\x01\0\x01\0', 'status'],
    ['\x06\0\0\0\x01\0\xc8\xff', 'header count'],
    ['\x06\0\0\0\x01\0\xc8\x01\x01a\0\x01\n', 'header value'],
    ['\x02\0\0\0\x01\x01\0\0\0\0\x03GET\0\x01a\0', 'target'],
    ['\x09\0\0\0\x01\xee', 'code'],
  ])('that are broken (%j) are refused: %s', (message, reason) => {
    expect(() => decode(bytesOf(message))).toThrow(reason);
  });

  it('longer than the limit are refused', () => {
    expect(() => decode(new Uint8Array(MESSAGE_MAX + 1))).toThrow('too long');
  });
});

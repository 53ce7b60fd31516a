import { expect, it, vi } from 'vitest';
import { FIRST_BYTES, Sound } from './sound.ts';

/** Decodes each byte to a frame, at 4 frames a second. */
const decode = async (bytes: ArrayBuffer) => ({ length: bytes.byteLength, sampleRate: 4 }) as AudioBuffer;
const piece = (size: number) => new Uint8Array(size);
const settled = () => new Promise((resolve) => setTimeout(resolve));

it('a beginning is there before the rest, without its end; the whole is all of it', async () => {
  const grown = vi.fn();
  const sound = new Sound(decode, grown);
  sound.add(piece(FIRST_BYTES - 1));
  await settled();
  expect([sound.frames, grown.mock.calls.length]).toEqual([0, 0]);
  sound.add(piece(1));
  await settled();
  expect([sound.frames, sound.complete, grown.mock.calls.length]).toEqual([FIRST_BYTES - 2, false, 1]);
  sound.add(piece(FIRST_BYTES));
  await settled();
  expect(sound.frames).toBe(FIRST_BYTES - 2);
  sound.add(piece(2 * FIRST_BYTES));
  await settled();
  expect(sound.frames).toBe(4 * FIRST_BYTES - 2);
  sound.add(piece(7));
  await sound.finish();
  expect([sound.frames, sound.complete, grown.mock.calls.length]).toEqual([4 * FIRST_BYTES + 7, true, 3]);
});

it('a beginning that cannot be decoded is no fault, a whole that cannot is', async () => {
  const broken = vi.fn(() => Promise.reject(new Error('what is this?')));
  const sound = new Sound(broken, () => {});
  sound.add(piece(FIRST_BYTES));
  await settled();
  expect([broken.mock.calls.length, sound.frames]).toEqual([1, 0]);
  await expect(sound.finish()).rejects.toThrow('what is this?');
});

it('what came so far is forgotten where it was wrong, and what is closed stays empty', async () => {
  const sound = new Sound(decode, () => {});
  sound.add(piece(100));
  sound.restart();
  sound.add(piece(5));
  await sound.finish();
  expect(sound.frames).toBe(5);
  const closed = new Sound(decode, () => {});
  closed.add(piece(FIRST_BYTES));
  closed.close();
  await settled();
  expect(closed.frames).toBe(0);
});

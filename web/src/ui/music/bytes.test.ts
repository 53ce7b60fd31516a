import { expect, it } from 'vitest';
import type { ItemDetail } from '../../api/types.ts';
import { rawCid } from '../../content/cid.ts';
import { read } from './bytes.ts';

const cid = rawCid(new Uint8Array(32));
const item = { id: 'x', cid, size: 3, files: [{ cid, size: 3, name: 'x.mp3' }] } as unknown as ItemDetail;
const signal = new AbortController().signal;
const bytes = new Uint8Array([1, 2, 3]);

function exchange(fetchBlock: () => Promise<Uint8Array<ArrayBuffer>>) {
  return { planner: { fetchBlock }, holderOf: () => undefined } as unknown as Parameters<typeof read>[1];
}

async function* plainly() {
  yield new Uint8Array([9]);
  yield new Uint8Array([8]);
}

it('a file comes as verified blocks', async () => {
  const taken: number[] = [];
  const take = (piece: Uint8Array) => void taken.push(...piece);
  const found = await read(
    item,
    exchange(async () => bytes),
    signal,
    take,
    () => taken.splice(0),
    plainly,
  );
  expect([found?.cid, found?.blocks.length, taken]).toEqual([cid, 1, [1, 2, 3]]);
});

it('by its address where its blocks cannot be had, and then it is not verified', async () => {
  const taken = [7];
  const take = (piece: Uint8Array) => void taken.push(...piece);
  const none = exchange(() => Promise.reject(new Error('gone')));
  const found = await read(item, none, signal, take, () => taken.splice(0), plainly);
  expect([found, taken]).toEqual([null, [9, 8]]);
});

it('what is given up is not asked for by address', async () => {
  const abort = new AbortController();
  const none = exchange(async () => {
    abort.abort(new Error('another track'));
    throw new Error('gone');
  });
  const taken: number[] = [];
  const take = (piece: Uint8Array) => void taken.push(...piece);
  await expect(read(item, none, abort.signal, take, () => {}, plainly)).rejects.toThrow('another track');
  expect(taken).toEqual([]);
});

import { expect, it } from 'vitest';
import { inOrder } from './files.ts';

const blocks = Array.from({ length: 10 }, (_, at) => ({ cid: String(at), size: 1 }));

it('blocks come in order however they arrive, with at most four under way', async () => {
  let [underWay, most] = [0, 0];
  const fetch = async ({ cid }: { cid: string }) => {
    most = Math.max(most, ++underWay);
    // The later it is asked for, the sooner it is there.
    for (let turn = 0; turn < 10 - Number(cid); turn += 1) await Promise.resolve();
    underWay -= 1;
    return new Uint8Array([Number(cid)]);
  };
  const found: number[] = [];
  for await (const block of inOrder(blocks, fetch)) found.push(block[0]!);
  expect(found).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(most).toBe(4);
});

it('what cannot be had ends it there', async () => {
  const fetch = async ({ cid }: { cid: string }) => {
    if (cid === '2') throw new Error('gone');
    return new Uint8Array([Number(cid)]);
  };
  const found: number[] = [];
  const read = async () => {
    for await (const block of inOrder(blocks, fetch)) found.push(block[0]!);
  };
  await expect(read()).rejects.toThrow('gone');
  expect(found).toEqual([0, 1]);
});

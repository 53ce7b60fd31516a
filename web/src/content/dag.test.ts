import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import { expect, it } from 'vitest';
import { rawCid } from './cid.ts';
import { isLeaf, leavesOf } from './dag.ts';

const root = 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';
const leaf = (fill: number) => rawCid(new Uint8Array(32).fill(fill));

/** A node with these links, as the node writes it. */
function node(links: { cid: Uint8Array; size: number }[]): Uint8Array {
  const link = ({ cid, size }: { cid: Uint8Array; size: number }) => {
    const body = [0x0a, cid.length, ...cid, 0x12, 0, 0x18, (size & 127) | 128, (size >> 7) & 127];
    return [0x12, body.length, ...body];
  };
  return new Uint8Array([...links.flatMap(link), 0x0a, 2, 8, 2]);
}

it('lists the leaves in order with their sizes', () => {
  const links = [1, 2, 3].map((fill) => ({ cid: CID.parse(leaf(fill)).bytes, size: 1000 + fill }));
  expect(leavesOf(root, node(links))).toEqual([1, 2, 3].map((fill) => ({ cid: leaf(fill), size: 1000 + fill })));
  expect([isLeaf(leaf(1)), isLeaf(root)]).toEqual([true, false]);
});

it('what lists further nodes, or is none, is refused', () => {
  expect(() => leavesOf(root, node([{ cid: CID.parse(root).bytes, size: 9 }]))).toThrow('no leaf');
  expect(() => leavesOf(leaf(1), node([]))).toThrow('names no node');
  const many = Array.from({ length: 1025 }, () => ({ cid: CID.parse(leaf(1)).bytes, size: 9 }));
  expect(() => leavesOf(root, node(many))).toThrow('too many');
  for (const bytes of [[0x12], [0x12, 9, 1], [0x15, 0, 0, 0, 0], [0x12, 0], [0x80], new Array<number>(20).fill(255)]) {
    expect(() => leavesOf(root, new Uint8Array(bytes))).toThrow();
  }
});

it('any bytes are leaves or an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        expect(leavesOf(root, bytes).every(({ cid }) => isLeaf(cid))).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
  );
});

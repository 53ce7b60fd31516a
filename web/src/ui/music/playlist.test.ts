import fc from 'fast-check';
import { expect, it } from 'vitest';
import { moved } from './playlist.ts';

it.each([
  [0, 2, 'bcad'],
  [3, 0, 'dabc'],
  [1, 1, 'abcd'],
  [1, 99, 'acdb'],
  [2, -1, 'cabd'],
  [9, 0, 'abcd'],
])('from %i to %i', (from, to, wanted) => expect(moved([...'abcd'], from, to).join('')).toBe(wanted));

it('nothing is lost, and what is moved is where it was wanted', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(), { minLength: 1 }), fc.nat(20), fc.nat(20), (list, from, to) => {
      const after = moved(list, from, to);
      expect([...after].sort()).toEqual([...list].sort());
      if (from < list.length) expect(after[Math.min(to, list.length - 1)]).toBe(list[from]);
    }),
  );
});

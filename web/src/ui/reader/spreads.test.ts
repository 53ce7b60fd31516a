import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromLeft, spreadAt, spreadsOf, type PageSize } from './spreads';

const tall: PageSize = { width: 1200, height: 1800 };
const wide: PageSize = { width: 2400, height: 1800 };
const unknown: PageSize = { width: null, height: null };

it('single pages stand alone', () => expect(spreadsOf([tall, tall, tall], false)).toEqual([[1], [2], [3]]));

it('the cover stands alone', () => expect(spreadsOf([tall, tall, tall], true)).toEqual([[1], [2, 3]]));

it('the last page stands alone when none is left to pair with', () =>
  expect(spreadsOf([tall, tall, tall, tall], true)).toEqual([[1], [2, 3], [4]]));

it('a wide page stands alone, and what follows pairs anew', () =>
  expect(spreadsOf([tall, tall, wide, tall, tall], true)).toEqual([[1], [2], [3], [4, 5]]));

it('a page of unknown size counts as tall', () =>
  expect(spreadsOf([tall, unknown, tall], true)).toEqual([[1], [2, 3]]));

it('a book without pages has no spreads', () => expect(spreadsOf([], true)).toEqual([]));

it('a spread lies from right to left where one reads so', () => {
  expect(fromLeft([2, 3], 'rtl')).toEqual([3, 2]);
  expect(fromLeft([2, 3], 'ltr')).toEqual([2, 3]);
});

it('every page is in one spread, in order, and is found there', () =>
  fc.assert(
    fc.property(fc.array(fc.constantFrom(tall, wide, unknown)), fc.boolean(), (pages, double) => {
      const spreads = spreadsOf(pages, double);
      expect(spreads.flat()).toEqual(pages.map((_, i) => i + 1));
      for (const [i, spread] of spreads.entries()) for (const page of spread) expect(spreadAt(spreads, page)).toBe(i);
    }),
  ));

it('a page beyond the end is the last spread', () => expect(spreadAt([[1], [2, 3]], 99)).toBe(1));

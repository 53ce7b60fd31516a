import { expect, it } from 'vitest';
import { pagesAtHand } from './prefetch';

it('the next three pages and the one before are at hand, the shown one first', () =>
  expect(pagesAtHand([10], 24)).toEqual([10, 11, 12, 13, 9]));

it('beside two pages, those around both', () => expect(pagesAtHand([10, 11], 24)).toEqual([10, 11, 12, 13, 14, 9]));

it('nothing before the cover or after the end', () => {
  expect(pagesAtHand([1], 24)).toEqual([1, 2, 3, 4]);
  expect(pagesAtHand([24], 24)).toEqual([24, 23]);
});

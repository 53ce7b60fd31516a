import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anchorAt, inWindow, offsetOf, pageAt, stripOf, type Look } from './strip';

const look: Look = { view: { width: 1000, height: 800 }, fit: 'width', webtoon: false, zoom: 1 };
const page = { width: 1000, height: 1500 };

it('pages lie under each other with a gap', () => {
  const strip = stripOf([page, page], look);
  expect(strip.tops).toEqual([0, 1516]);
  expect(strip.height).toBe(3016);
});

it('webtoon pages touch each other and are no wider than a column', () => {
  const strip = stripOf([page, page], { ...look, webtoon: true });
  expect(strip.width).toBe(760);
  expect(strip.tops).toEqual([0, 1140]);
});

it.each([
  ['screen', 533],
  ['height', 533],
  ['width', 1000],
  ['original', 1000],
] as const)('a page fits by %s', (fit, width) => expect(stripOf([page], { ...look, fit }).width).toBe(width));

it('a wide page that fits the screen is as wide as it', () =>
  expect(stripOf([{ width: 3000, height: 1000 }], { ...look, fit: 'screen' }).width).toBe(1000));

it('zoom makes pages wider and longer', () =>
  expect(stripOf([page], { ...look, zoom: 2 }).sizes).toEqual([{ width: 2000, height: 3000 }]));

it('a page of unknown size has a place', () =>
  expect(stripOf([{ width: null, height: null }], look).height).toBe(1500));

it('a gap belongs to the page before it', () => {
  const strip = stripOf([page, page], look);
  expect([pageAt(strip, 1510), pageAt(strip, 1516), pageAt(strip, -5), pageAt(strip, 9999)]).toEqual([1, 2, 1, 2]);
});

it('of a thousand pages only those in the window count', () => {
  const strip = stripOf(Array(1000).fill(page), look);
  expect(inWindow(strip, 1516 * 500, 1516 * 500 + 800)).toEqual([501, 501]);
  expect(inWindow(strip, 1516 * 500 - 20, 1516 * 500 + 800)).toEqual([500, 501]);
});

it('a place in a page is the same place after pages changed their size', () => {
  const before = stripOf([page, page, page], look);
  const after = stripOf([{ width: 1000, height: 500 }, page, page], { ...look, zoom: 1.5 });
  const anchor = anchorAt(before, 1516 + 750);
  expect(anchor).toEqual({ page: 2, share: 0.5 });
  expect(anchorAt(after, offsetOf(after, anchor)).page).toBe(2);
});

it('an offset within a page survives being anchored', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 0.99, noNaN: true }), (number, share) => {
      const strip = stripOf(Array(50).fill(page), look);
      const offset = offsetOf(strip, { page: number, share });
      expect(offsetOf(strip, anchorAt(strip, offset))).toBeCloseTo(offset, 5);
    }),
  ));

import { expect, it } from 'vitest';
import { beginning, bounded, fitted, together, zoomedAt } from './zoom';

const window = { width: 1000, height: 800 };
const page = { width: 1200, height: 1800 };

it('a whole page is seen at once', () =>
  expect(fitted([page], window, 'screen')).toEqual([{ width: 533, height: 800 }]));

it('two pages share the window', () => {
  const { width, height } = together(fitted([page, page], { width: 800, height: 800 }, 'screen'));
  expect([width, height]).toEqual([800, 600]);
});

it('two pages of unlike size are equally high', () => {
  const [left, right] = fitted([page, { width: 600, height: 900 }], window, 'height');
  expect(left).toEqual(right);
});

it('a page as wide as the window is longer than it', () =>
  expect(fitted([page], window, 'width')).toEqual([{ width: 1000, height: 1500 }]));

it('a page of its own size is not scaled', () => expect(fitted([page], window, 'original')).toEqual([page]));

it('reading begins at the top, on the side of the first line', () => {
  expect(beginning({ width: 1400, height: 1500 }, window, 'ltr', false)).toEqual({ zoom: 1, x: 200, y: 350 });
  expect(beginning({ width: 1400, height: 1500 }, window, 'rtl', false)).toEqual({ zoom: 1, x: -200, y: 350 });
});

it('whoever turns back sees the end of the page before', () =>
  expect(beginning({ width: 1000, height: 1500 }, window, 'ltr', true)).toEqual({ zoom: 1, x: 0, y: -350 }));

it('what lies under the finger stays there', () => {
  const lens = zoomedAt({ zoom: 1, x: 0, y: 0 }, 2, { x: 100, y: -50 });
  expect(lens).toEqual({ zoom: 2, x: -100, y: 50 });
  expect(zoomedAt(lens, 0.5, { x: 100, y: -50 })).toEqual({ zoom: 1, x: 0, y: 0 });
});

it('nothing is shifted beyond its edges, nor zoomed below its fit', () => {
  expect(bounded({ zoom: 1, x: 500, y: -900 }, { width: 500, height: 1000 }, window)).toEqual({
    zoom: 1,
    x: 0,
    y: -100,
  });
  expect(bounded({ zoom: 0.2, x: 0, y: 0 }, page, window).zoom).toBe(1);
  expect(bounded({ zoom: 99, x: 0, y: 0 }, page, window).zoom).toBe(6);
});

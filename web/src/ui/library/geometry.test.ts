import { describe, expect, it } from 'vitest';
import { layoutOf, step, windowOf, type Shape } from './geometry';

const shape: Shape = { minWidth: 150, minColumns: 3, gap: 16, rowGap: 24, ratio: 1.5, captionHeight: 48 };

describe('layout', () => {
  it('fills the width with as many columns as fit', () => {
    const layout = layoutOf(1000, 100, shape);
    expect(layout.columns).toBe(6);
    expect(layout.itemWidth * 6 + 5 * 16).toBeCloseTo(1000);
    expect(layout.rows).toBe(17);
  });

  it('keeps its least number of columns on a phone', () => expect(layoutOf(300, 10, shape).columns).toBe(3));

  it('has no height without items', () => expect(layoutOf(1000, 0, shape).height).toBe(0));

  it('a hundred thousand items stay below what browsers can scroll', () =>
    expect(layoutOf(358, 100_000, shape).height).toBeLessThan(16_000_000));
});

describe('window', () => {
  const layout = layoutOf(1000, 100_000, shape);

  it('holds what is visible and the spare rows, wherever one is', () => {
    for (const top of [0, 12_345, layout.height - 900]) {
      const [start, end] = windowOf(layout, 100_000, top, top + 900, 2);
      expect(end - start).toBeLessThanOrEqual(layout.columns * (Math.ceil(900 / layout.rowHeight) + 6));
      expect(start * (layout.rowHeight / layout.columns)).toBeLessThanOrEqual(top);
      expect(end).toBeGreaterThan(start);
    }
  });

  it('never goes past the ends', () => {
    expect(windowOf(layout, 100_000, -500, 100, 2)[0]).toBe(0);
    expect(windowOf(layout, 100_000, 1e9, 1e9 + 900, 2)).toEqual([100_000, 100_000]);
    expect(windowOf(layout, 0, 0, 900, 2)).toEqual([0, 0]);
  });
});

describe('keys', () => {
  it.each([
    ['ArrowRight', 4, 5],
    ['ArrowLeft', 0, 0],
    ['ArrowDown', 4, 10],
    ['ArrowUp', 4, 4],
    ['ArrowDown', 16, 19],
    ['PageDown', 0, 18],
    ['Home', 12, 0],
    ['End', 3, 19],
    ['x', 3, null],
  ])('%s leads from %d to %s', (key, from, target) => expect(step(key, from, 20, 6, 3)).toBe(target));
});

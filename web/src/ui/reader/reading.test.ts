import { beforeEach, expect, it, vi } from 'vitest';
import type { BookDirection, BookPages } from '../../api/types';
import { Reading } from './reading.svelte';

beforeEach(() => void vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} }));

/** Six pages, the fourth of them wide. */
function opened(start: number, direction: BookDirection | null = null): Reading {
  const pages = [1, 2, 3, 4, 5, 6].map((number) => ({
    number,
    name: '',
    type: 'image/jpeg',
    width: number === 4 ? 2400 : 1200,
    height: 1800,
    size: 1,
  }));
  const book: BookPages = { format: 'zip', direction, pages };
  return new Reading('s', book, start);
}

it('pages turn one by one, and the book ends after the last', () => {
  const reading = opened(5);
  reading.turn(1);
  expect([reading.page, reading.ended]).toEqual([6, false]);
  reading.turn(1);
  expect([reading.page, reading.ended]).toEqual([6, true]);
  reading.turn(-1);
  expect([reading.page, reading.ended]).toEqual([6, false]);
});

it('nothing comes before the cover', () => {
  const reading = opened(1);
  reading.turn(-1);
  expect(reading.page).toBe(1);
});

it('two pages turn together, wide ones alone', () => {
  const reading = opened(1);
  reading.choose({ mode: 'double' });
  const seen = [reading.shown];
  for (let i = 0; i < 3; i += 1) {
    reading.turn(1);
    seen.push(reading.shown);
  }
  expect(seen).toEqual([[1], [2, 3], [4], [5, 6]]);
  reading.turn(-1);
  expect(reading.shown).toEqual([4]);
  expect(reading.last).toBe(4);
});

it('a page stays in view when the manner changes', () => {
  const reading = opened(3);
  reading.choose({ mode: 'double' });
  expect(reading.shown).toEqual([2, 3]);
  reading.choose({ mode: 'vertical' });
  expect(reading.shown).toEqual([2]);
});

it('a manga lies from right to left', () => {
  const reading = opened(2, 'rtl');
  reading.choose({ mode: 'double' });
  expect([reading.shown, reading.table]).toEqual([
    [2, 3],
    [3, 2],
  ]);
});

it('what the node knows of a size is not overruled', () => {
  const reading = opened(1);
  reading.learn(1, 5, 5);
  expect(reading.sizes[0]).toEqual({ width: 1200, height: 1800 });
});

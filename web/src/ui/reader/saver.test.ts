import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Saver, startPage } from './saver';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function opened(from = 0) {
  const save = vi.fn(async () => {});
  return { save, saver: new Saver('book', 24, from, save) };
}

it('leafing through saves once, where it ends', () => {
  const { save, saver } = opened();
  for (const page of [1, 2, 3, 4]) saver.read(page);
  vi.advanceTimersByTime(1000);
  expect(save.mock.calls).toEqual([['book', { position: 4, completed: false }, false]]);
});

it('leaving saves at once, and outlives the page', () => {
  const { save, saver } = opened();
  saver.read(7);
  saver.now(true);
  saver.now(true);
  vi.advanceTimersByTime(1000);
  expect(save.mock.calls).toEqual([['book', { position: 7, completed: false }, true]]);
});

it('opening a book where one stopped saves nothing', () => {
  const { save, saver } = opened(9);
  saver.read(9);
  saver.now(true);
  expect(save).not.toHaveBeenCalled();
});

it('reading on within a chapter is saved too', () => {
  const { save, saver } = opened(3);
  saver.read(3, { part: 0.2, end: false });
  saver.now();
  saver.read(3, { part: 0.4, end: false });
  saver.now();
  saver.now();
  expect(save.mock.calls).toEqual([
    ['book', { position: 3, completed: false, part: 0.2 }, false],
    ['book', { position: 3, completed: false, part: 0.4 }, false],
  ]);
});

it('the last chapter makes it read where its last words were seen', () => {
  const { save, saver } = opened();
  saver.read(24, { part: 0, end: false });
  saver.now();
  expect(save).toHaveBeenLastCalledWith('book', { position: 24, completed: false, part: 0 }, false);
  saver.read(24, { part: 0.8, end: true });
  saver.now();
  expect(save).toHaveBeenLastCalledWith('book', { position: 24, completed: true, part: 0.8 }, false);
});

it('the last page makes it read', () => {
  const { save, saver } = opened();
  saver.read(24);
  saver.now();
  expect(save).toHaveBeenCalledWith('book', { position: 24, completed: true }, false);
});

it('a failed save does not stop the reading', () => {
  const saver = new Saver('book', 24, 0, () => Promise.reject(new Error('gone')));
  saver.read(3);
  expect(() => saver.now()).not.toThrow();
});

it.each([
  [null, null, 1],
  [null, { position: 9, completed: false }, 9],
  [null, { position: 24, completed: true }, 1],
  [null, { position: 0, completed: false }, 1],
  [3, { position: 9, completed: false }, 3],
  [99, null, 24],
  [0, null, 1],
])('asked %s with %j begins on page %d', (asked, progress, page) => expect(startPage(asked, progress, 24)).toBe(page));

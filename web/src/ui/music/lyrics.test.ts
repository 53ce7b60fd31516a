import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lineAt, shown } from './lyrics.ts';

const lines = [1000, 2500, 2500, 9000].map((start_ms) => ({ start_ms, text: '' }));

it.each([
  [0, -1],
  [999, -1],
  [1000, 0],
  [2499, 0],
  [2500, 2],
  [8999, 2],
  [1e9, 3],
])('at %i ms it is line %i', (ms, at) => expect(lineAt(lines, ms)).toBe(at));

it('nothing is sung where there are no lines', () => {
  expect(lineAt([], 5)).toBe(-1);
  expect(shown([])).toBeNull();
});

it('any times are put in order, and the line is the last that has begun', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1e6)), fc.nat(1e6), (times, ms) => {
      const all = [{ synced: true, lines: times.map((start_ms) => ({ start_ms, text: '' })) }];
      const { lines } = shown(all)!;
      expect(lineAt(lines, ms)).toBe(times.filter((time) => time <= ms).length - 1);
    }),
  );
});

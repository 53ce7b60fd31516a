import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { api } from '../../api/client.ts';
import type { ItemSummary, PlayQueue } from '../../api/types.ts';
import { EMPTY, filled, type Queue } from './queue.ts';
import { isNews, queueOf, Roaming } from './roaming.ts';

const item = (id: string) => ({ id, title: id }) as ItemSummary;
const queue = (ids: string, at = 0): Queue => filled(EMPTY, [...ids].map(item), at, false, () => 0);
const saved = (ids: string, current: number | null, more: Partial<PlayQueue> = {}): PlayQueue => ({
  items: [...ids].map(item),
  current,
  position_ms: 1500,
  changed_at: 1000,
  changed_by: 'DSub',
  ...more,
});

it('what was saved elsewhere is the queue', () => {
  const { queue: found, position } = queueOf(saved('abc', 2));
  expect([found.entries.map(({ track }) => track.id).join(''), found.at, position]).toEqual(['abc', 2, 1.5]);
  expect(queueOf(saved('ab', null)).position).toBe(0);
});

it.each([
  ['nothing is here', saved('ab', 0), queue(''), 5000, true],
  ['nothing is there', saved('', null), queue(''), 0, false],
  ['another, later', saved('ab', 0), queue('xy'), 500, true],
  ['another, before', saved('ab', 0), queue('xy'), 2000, false],
  ['the same', saved('ab', 1), queue('ab', 1), 500, false],
  ['the same, shuffled here', saved('ba', 0), queue('ab', 1), 500, false],
  ['the same, further on', saved('ab', 1), queue('ab', 0), 500, true],
] as const)('%s', (_, there, here, keptAt, wanted) => expect(isNews(there, here, keptAt)).toBe(wanted));

let calls: { items: string[]; keepalive: boolean }[] = [];

beforeEach(() => {
  calls = [];
  vi.useFakeTimers();
  vi.spyOn(api, 'savePlayQueue').mockImplementation(async ({ items }, keepalive = false) => {
    calls.push({ items, keepalive });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('where one is is told now and then, and a change soon', () => {
  const roaming = new Roaming(() => ({ queue: queue('ab'), position: 0 }));
  roaming.changed(true);
  vi.advanceTimersByTime(10_000);
  expect(calls.length).toBe(0);
  roaming.changed();
  roaming.changed(true);
  vi.advanceTimersByTime(2000);
  expect(calls.length).toBe(1);
});

it('many changes are told once, the same is not told again, and what was not told yet is told on leaving', () => {
  let now = { queue: queue('ab'), position: 0 };
  const roaming = new Roaming(() => now);
  for (let i = 0; i < 5; i += 1) roaming.changed();
  vi.runAllTimers();
  expect(calls).toEqual([{ items: ['a', 'b'], keepalive: false }]);
  roaming.changed(true);
  vi.advanceTimersByTime(29_000);
  roaming.changed();
  vi.runAllTimers();
  roaming.leave();
  expect(calls.length).toBe(1);
  now = { queue: queue('c'), position: 3 };
  roaming.changed();
  roaming.leave();
  vi.runAllTimers();
  expect(calls.slice(1)).toEqual([{ items: ['c'], keepalive: true }]);
});

import { expect, it } from 'vitest';
import type { ItemPage, ItemSummary } from '../../api/types';
import { SparseList, type PageRequest } from './sparse';

function item(place: number): ItemSummary {
  const letter = String.fromCharCode(65 + Math.floor((place * 26) / 100_000));
  return {
    id: String(place),
    library: 'l',
    kind: 'movie',
    state: 'present',
    title: `${letter} ${String(place).padStart(6, '0')}`,
    added_at: 0,
  };
}

/** A node with `count` titles in order, that remembers what it was asked. */
function nodeWith(count: number) {
  const asked: PageRequest[] = [];
  const ask = async (request: PageRequest): Promise<ItemPage> => {
    asked.push(request);
    let start = Number(request.cursor ?? 0);
    if (request.from) while (start < count && item(start).title < request.from) start += 1;
    const end = Math.min(count, start + request.limit);
    return {
      items: Array.from({ length: end - start }, (_, i) => item(start + i)),
      next: end < count ? String(end) : null,
      total: request.cursor ? null : count - start,
    };
  };
  return { ask, asked };
}

it('the first page tells how many there are', async () => {
  const { ask, asked } = nodeWith(250);
  const list = new SparseList(ask, true, () => {});
  await list.want(0, 40);
  expect(list.total).toBe(250);
  expect(list.items.get(39)?.id).toBe('39');
  expect(asked).toHaveLength(1);
});

it('known places are not asked again', async () => {
  const { ask, asked } = nodeWith(250);
  const list = new SparseList(ask, true, () => {});
  await list.want(0, 40);
  await list.want(10, 90);
  expect(asked).toHaveLength(1);
});

it('the next page follows the last one', async () => {
  const { ask, asked } = nodeWith(250);
  const list = new SparseList(ask, true, () => {});
  await list.want(0, 40);
  await list.want(80, 260);
  expect(asked.map((request) => request.cursor)).toEqual([undefined, '100', '200']);
  expect(list.items.size).toBe(250);
});

it('a leap into the middle goes by letters, not through everything before', async () => {
  const { ask, asked } = nodeWith(100_000);
  const list = new SparseList(ask, true, () => {});
  await list.want(0, 40);
  await list.want(50_500, 50_540);
  expect(list.items.get(50_500)?.id).toBe('50500');
  expect(asked.filter((request) => request.limit > 1).length).toBeLessThan(4);
});

it('without letters a leap walks in long strides', async () => {
  const { ask, asked } = nodeWith(10_000);
  const list = new SparseList(ask, false, () => {});
  await list.want(0, 40);
  await list.want(9_000, 9_040);
  expect(list.items.get(9_039)?.id).toBe('9039');
  expect(asked.length).toBeLessThan(22);
});

it('wanting something else ends the walk', async () => {
  const { ask, asked } = nodeWith(100_000);
  const list = new SparseList(ask, false, () => {});
  await list.want(0, 40);
  const far = list.want(90_000, 90_040);
  await list.want(0, 40);
  await far;
  expect(asked.length).toBeLessThan(4);
});

it('an empty list is known to be empty', async () => {
  const { ask } = nodeWith(0);
  const list = new SparseList(ask, true, () => {});
  await list.want(0, 40);
  expect(list.total).toBe(0);
});

it('a list that shrank meanwhile ends where it ends', async () => {
  const list = new SparseList(
    async (request) => (request.cursor ? { items: [] } : { items: [item(0)], next: '1', total: 5 }),
    true,
    () => {},
  );
  await list.want(0, 5);
  expect(list.total).toBe(1);
});

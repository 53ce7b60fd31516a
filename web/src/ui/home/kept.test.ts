import { expect, it } from 'vitest';
import type { ItemSummary, Library } from '../../api/types';
import { arranged } from './kept';

const item = (title: string, year?: number) => ({ kind: 'movie', title, year }) as ItemSummary;
const library = (id: string, friend?: string) =>
  ({ id, friend: friend ? { id: friend, name: friend, online: true } : undefined }) as Library;

it('what is kept here, or was on a shelf before, is on no shelf of a friend', () => {
  const shelves = arranged([
    { library: library('b', 'Bob'), items: [item('Dive', 1980), item('Drift', 2024), item('Drift', 1924)] },
    { library: library('c', 'Carol'), items: [item('Dive', 1980)] },
    { library: library('o'), items: [item('Drift', 2024)] },
    { library: library('p'), items: [item('Drift', 2024)] },
  ]);
  const shown = shelves.map(({ library, items }) => [library.id, items.map(({ title, year }) => `${title} ${year}`)]);
  expect(shown).toEqual([
    ['o', ['Drift 2024']],
    ['p', ['Drift 2024']],
    ['b', ['Dive 1980', 'Drift 1924']],
  ]);
});

import { expect, it } from 'vitest';
import type { ItemQuery } from '../../api/client';
import type { ItemSummary } from '../../api/types';
import { bookToRead } from './reading';

const book = (id: string) => ({ id }) as ItemSummary;

/** A node whose answers are told by the progress that is asked for. */
const node = (answers: Record<string, string>) => (query: ItemQuery) => {
  const id = answers[query.progress ?? 'any'];
  return Promise.resolve({ items: id ? [book(id)] : [] });
};

it.each([
  ['the one that was begun', { started: 'b3', unwatched: 'b1', any: 'b1' }, 'b3'],
  ['the first that is not read', { unwatched: 'b2', any: 'b1' }, 'b2'],
  ['the first again when all are read', { any: 'b1' }, 'b1'],
])('what to read is %s', async (_name, answers, id) => expect((await bookToRead('s', node(answers)))?.id).toBe(id));

it('a series without books has none to read', async () => expect(await bookToRead('s', node({}))).toBe(null));

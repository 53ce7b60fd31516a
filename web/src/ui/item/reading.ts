/** Which book of a series to read next. Asks for single books: a series can have thousands. */
import { api, type ItemQuery } from '../../api/client';
import type { ItemPage, ItemSummary } from '../../api/types';

type Ask = (query: ItemQuery) => Promise<ItemPage>;

/** The book that was begun last, else the first that is not read, else the first. */
export async function bookToRead(series: string, ask: Ask = api.items): Promise<ItemSummary | null> {
  const first = async (query: ItemQuery) =>
    (await ask({ show: series, kind: 'book', limit: 1, ...query })).items[0] ?? null;
  return (
    (await first({ progress: 'started', sort: '-watched' })) ??
    (await first({ progress: 'unwatched' })) ??
    (await first({}))
  );
}

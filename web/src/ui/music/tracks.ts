/** The tracks of an album, in their order. */
import { api } from '../../api/client';
import type { ItemSummary } from '../../api/types';

export interface Disc {
  number: number;
  tracks: ItemSummary[];
}

export async function tracksOf(album: string, signal?: AbortSignal): Promise<ItemSummary[]> {
  const found: ItemSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.items({ show: album, kind: 'track', limit: 500, cursor }, signal);
    found.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor);
  return discsOf(found).flatMap(({ tracks }) => tracks);
}

/** What says no disc is on the first; what says no number stands behind what does, by title. */
export function discsOf(tracks: ItemSummary[]): Disc[] {
  const discs = new Map<number, ItemSummary[]>();
  for (const track of tracks) {
    const number = track.season || 1;
    discs.set(number, [...(discs.get(number) ?? []), track]);
  }
  const order = (a: ItemSummary, b: ItemSummary) =>
    (a.episode ?? Infinity) - (b.episode ?? Infinity) || a.title.localeCompare(b.title);
  return [...discs]
    .map(([number, tracks]) => ({ number, tracks: tracks.sort((a, b) => order(a, b) || 0) }))
    .sort((a, b) => a.number - b.number);
}

/** Its file is there, on this node or on a friend's that is. */
export function isPlayable({ state, friend }: ItemSummary): boolean {
  return state === 'present' && (friend?.online ?? true);
}

import { describe, expect, it } from 'vitest';
import type { ItemSummary } from '../../api/types';
import { discsOf } from './tracks';

const track = (id: string, season: number | null, episode: number | null): ItemSummary => ({
  ...{ id, season, episode, title: id, library: 'l', kind: 'track', state: 'present', added_at: 0 },
});

describe('tracks', () => {
  it('stand by disc and number, whatever the order they came in', () => {
    const discs = discsOf([track('d', 2, 1), track('b', 1, 2), track('a', 1, 1), track('e', 2, 2), track('c', 1, 10)]);
    expect(discs.map(({ number, tracks }) => [number, tracks.map(({ id }) => id).join('')])).toEqual([
      [1, 'abc'],
      [2, 'de'],
    ]);
  });

  it('without a disc are on the first; without a number come last, by title', () => {
    const discs = discsOf([track('z', null, null), track('y', null, null), track('a', 0, 3), track('b', 1, 1)]);
    expect(discs).toHaveLength(1);
    expect(discs[0]!.tracks.map(({ id }) => id).join('')).toBe('bayz');
  });
});

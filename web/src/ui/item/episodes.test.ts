import { expect, it } from 'vitest';
import type { ItemSummary, Progress } from '../../api/types';
import { nextEpisode, ofSeason, seasonsOf } from './episodes';

function episode(season: number, number: number, progress?: Progress): ItemSummary {
  return {
    id: `${season}x${number}`,
    library: 'l',
    kind: 'episode',
    state: 'present',
    title: '',
    season,
    episode: number,
    added_at: 0,
    progress,
  };
}

const watched = { position: 0, completed: true };
const begun = { position: 30, completed: false };

it('specials come last', () => expect(seasonsOf([episode(0, 1), episode(2, 1), episode(1, 1)])).toEqual([1, 2, 0]));

it('episodes of a season are in order', () =>
  expect(ofSeason([episode(1, 10), episode(1, 2), episode(2, 1)], 1).map((one) => one.episode)).toEqual([2, 10]));

it.each([
  ['the first of a new show', [episode(1, 1), episode(1, 2)], '1x1'],
  ['the one that was begun', [episode(1, 1, watched), episode(1, 2), episode(1, 3, begun)], '1x3'],
  ['the one after the last watched', [episode(1, 1), episode(1, 2, watched), episode(2, 1)], '2x1'],
  ['the first again when all are watched', [episode(1, 1, watched), episode(1, 2, watched)], '1x1'],
] as const)('next is %s', (_name, episodes, id) => expect(nextEpisode([...episodes])?.id).toBe(id));

it('episodes that cannot play are passed over', () =>
  expect(nextEpisode([{ ...episode(1, 1), state: 'damaged' }, episode(1, 2)])?.id).toBe('1x2'));

it('a show without episodes has no next', () => expect(nextEpisode([])).toBe(null));

import type { ItemSummary } from '../../api/types';

/** Seasons that exist, specials last. */
export function seasonsOf(episodes: ItemSummary[]): number[] {
  const seasons = [...new Set(episodes.map((episode) => episode.season ?? 1))].sort((a, b) => a - b);
  return seasons[0] === 0 ? [...seasons.slice(1), 0] : seasons;
}

export function ofSeason(episodes: ItemSummary[], season: number): ItemSummary[] {
  return episodes
    .filter((episode) => (episode.season ?? 1) === season)
    .sort((a, b) => (a.episode ?? 0) - (b.episode ?? 0));
}

/** What to play when one says "play" to a show: the begun one, else the first after the last watched, else the first. */
export function nextEpisode(episodes: ItemSummary[]): ItemSummary | null {
  const order = seasonsOf(episodes)
    .flatMap((season) => ofSeason(episodes, season))
    .filter((episode) => episode.state === 'present');
  const begun = order.findLast((episode) => !episode.progress?.completed && (episode.progress?.position ?? 0) > 0);
  if (begun) return begun;
  const watched = order.findLastIndex((episode) => episode.progress?.completed);
  return order[watched + 1] ?? order[0] ?? null;
}

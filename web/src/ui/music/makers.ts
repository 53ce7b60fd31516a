/** Whose a track or an album is, with their pages. */
import type { MusicFacts } from '../../api/types';

export interface MakerLink {
  id: string;
  name: string;
}

/** An album's own artists, else those of the track; each once. */
export function makersOf(facts: MusicFacts | null | undefined, album = false): MakerLink[] {
  const found = new Map<string, MakerLink>();
  for (const { id, name, role } of facts?.artists ?? []) {
    if (role === (album ? 'albumartist' : 'artist')) found.set(id, { id, name });
  }
  return [...found.values()];
}

/** A line of text in parts: names that have a page lead there, and what stands between them stays as it is written. */
export function linked(line: string, makers: MakerLink[]): { text: string; id: string | null }[] {
  const parts: { text: string; id: string | null }[] = [];
  let rest = line;
  while (rest !== '') {
    const next = makers
      .map((maker) => ({ maker, at: rest.indexOf(maker.name) }))
      .filter(({ maker, at }) => at >= 0 && maker.name !== '')
      .sort((a, b) => a.at - b.at || b.maker.name.length - a.maker.name.length)[0];
    if (!next) break;
    if (next.at > 0) parts.push({ text: rest.slice(0, next.at), id: null });
    parts.push({ text: next.maker.name, id: next.maker.id });
    rest = rest.slice(next.at + next.maker.name.length);
  }
  if (rest !== '') parts.push({ text: rest, id: null });
  return parts;
}

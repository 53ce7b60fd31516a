/** The kinds of libraries, and what follows from them: where they stand, what stands in them, the shape of its pictures. */
import type { ItemKind, LibraryKind } from '../api/types';
import { SECTIONS, type Section } from './address/route';

const KINDS: Record<Section, LibraryKind> = {
  films: 'movies',
  shows: 'shows',
  videos: 'videos',
  comics: 'comics',
  books: 'books',
  music: 'music',
};

/** What a library of a kind lists. */
const TITLES: Record<LibraryKind, ItemKind> = {
  movies: 'movie',
  shows: 'show',
  videos: 'video',
  comics: 'series',
  books: 'series',
  music: 'album',
};

export function kindOf(section: Section): LibraryKind {
  return KINDS[section];
}

export function sectionOf(kind: LibraryKind): Section {
  return SECTIONS.find((section) => KINDS[section] === kind)!;
}

export function titleKind(kind: LibraryKind): ItemKind {
  return TITLES[kind];
}

/** What to ask of a library for its shelf: without a kind the node answers what plays, not what that belongs to. */
export function shelfKind(kind: LibraryKind): ItemKind | undefined {
  const title = titleKind(kind);
  return gathers(title) ? title : undefined;
}

/** A title without a file of its own: a show of episodes, a series of books, an album of tracks. */
export function gathers(kind: ItemKind): boolean {
  return kind === 'show' || kind === 'series' || kind === 'album';
}

/** Read rather than watched. */
export function isRead(kind: ItemKind | LibraryKind): boolean {
  return kind === 'comics' || kind === 'books' || kind === 'series' || kind === 'book';
}

/** Heard rather than watched. */
export function isHeard(kind: ItemKind | LibraryKind): boolean {
  return kind === 'music' || kind === 'album' || kind === 'track';
}

/** Of a picture: `poster` is 2:3, `wide` is 16:9, `square` the cover of an album. */
export type Shape = 'poster' | 'wide' | 'square';

export function shapeOf(kind: LibraryKind): Shape {
  if (kind === 'music') return 'square';
  return kind === 'videos' ? 'wide' : 'poster';
}

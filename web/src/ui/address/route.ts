/**
 * What the address bar says, as a value: the page's state that survives a reload. Pure; `place.svelte.ts` acts on it.
 */
export type Section = 'films' | 'shows' | 'videos' | 'comics' | 'books' | 'music';
export type Sort = 'title' | '-added' | '-year' | 'year' | 'duration';
export type Watched = 'unwatched' | 'started' | 'completed';

export type Route =
  | { name: 'home' }
  | { name: 'section'; section: Section; sort: Sort; watched: Watched | null }
  | { name: 'library'; library: string; sort: Sort; watched: Watched | null }
  | { name: 'item'; item: string; season: number | null; content: boolean }
  | { name: 'play'; item: string; at: number | null }
  | { name: 'read'; item: string; page: number | null }
  | { name: 'search'; q: string }
  /** `path` is a path of IPFS with names as they are, such as `/ipfs/CID/a b`, or empty. */
  | { name: 'open'; path: string }
  | { name: 'artists' | 'playlists' | 'starred' }
  | { name: 'artist'; artist: string }
  | { name: 'playlist'; playlist: string }
  | { name: 'friends' }
  | { name: 'status' }
  | { name: 'account' }
  | { name: 'unknown' };

const SORTS: readonly Sort[] = ['title', '-added', '-year', 'year', 'duration'];
const WATCHED: readonly Watched[] = ['unwatched', 'started', 'completed'];
/** In the order of the rail. */
export const SECTIONS: readonly Section[] = ['films', 'shows', 'videos', 'comics', 'books', 'music'];

/** `url` is a path with its query, such as `/films?sort=-added`. */
export function parseRoute(url: string): Route {
  const { pathname, searchParams } = new URL(url, 'http://page');
  const parts = pathname.split('/').filter((part) => part !== '');
  const [first, second] = parts;
  if (parts.length === 0) return { name: 'home' };
  if (first === 'open')
    return {
      name: 'open',
      path: parts
        .slice(1)
        .map((part) => `/${decoded(part)}`)
        .join(''),
    };
  if (parts.length === 1) {
    const section = SECTIONS.find((name) => name === first);
    if (section) return { name: 'section', section, ...listState(searchParams) };
    if (first === 'search') return { name: 'search', q: searchParams.get('q') ?? '' };
    if (first === 'friends' || first === 'status' || first === 'account') return { name: first };
    if (first === 'artists' || first === 'playlists' || first === 'starred') return { name: first };
  }
  if (parts.length === 2 && second !== undefined) {
    const id = decoded(second);
    if (first === 'library') return { name: 'library', library: id, ...listState(searchParams) };
    if (first === 'item') {
      return {
        name: 'item',
        item: id,
        season: whole(searchParams.get('season')),
        content: searchParams.has('content'),
      };
    }
    if (first === 'artist') return { name: 'artist', artist: id };
    if (first === 'playlist') return { name: 'playlist', playlist: id };
    if (first === 'play') return { name: 'play', item: id, at: whole(searchParams.get('t')) };
    if (first === 'read') return { name: 'read', item: id, page: whole(searchParams.get('page')) };
  }
  return { name: 'unknown' };
}

/** The inverse of `parseRoute`; defaults are left out. */
export function formatRoute(route: Route): string {
  const path = formatPath(route);
  const query = new URLSearchParams();
  if (route.name === 'section' || route.name === 'library') {
    if (route.sort !== 'title') query.set('sort', route.sort);
    if (route.watched) query.set('watched', route.watched);
  } else if (route.name === 'item') {
    if (route.season !== null) query.set('season', String(route.season));
    if (route.content) query.set('content', '1');
  } else if (route.name === 'play') {
    if (route.at !== null) query.set('t', String(route.at));
  } else if (route.name === 'read') {
    if (route.page !== null) query.set('page', String(route.page));
  } else if (route.name === 'search') {
    if (route.q !== '') query.set('q', route.q);
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Two routes that differ only in what one view shows (sorting, an open drawer) are the same view. */
export function sameView(a: Route, b: Route): boolean {
  return formatPath(a) === formatPath(b);
}

export const to = {
  home: '/',
  friends: '/friends',
  status: '/status',
  account: '/account',
  section: (section: Section) => `/${section}`,
  library: (library: string) => `/library/${encodeURIComponent(library)}`,
  item: (item: string, season?: number | null) =>
    formatRoute({ name: 'item', item, season: season ?? null, content: false }),
  play: (item: string, at?: number) => formatRoute({ name: 'play', item, at: at ?? null }),
  /** `page` is a number from 1; without one, where somebody stopped. */
  read: (item: string, page?: number) => formatRoute({ name: 'read', item, page: page ?? null }),
  artists: '/artists',
  playlists: '/playlists',
  starred: '/starred',
  artist: (artist: string) => `/artist/${encodeURIComponent(artist)}`,
  playlist: (playlist: string) => `/playlist/${encodeURIComponent(playlist)}`,
  search: (q: string) => formatRoute({ name: 'search', q }),
  open: (path = '') => `/open${path.split('/').map(encodeURIComponent).join('/')}`,
};

function formatPath(route: Route): string {
  switch (route.name) {
    case 'home':
      return '/';
    case 'section':
      return `/${route.section}`;
    case 'library':
      return to.library(route.library);
    case 'item':
      return `/item/${encodeURIComponent(route.item)}`;
    case 'play':
      return `/play/${encodeURIComponent(route.item)}`;
    case 'read':
      return `/read/${encodeURIComponent(route.item)}`;
    case 'artist':
      return to.artist(route.artist);
    case 'playlist':
      return to.playlist(route.playlist);
    case 'open':
      return to.open(route.path);
    case 'unknown':
      return '/';
    default:
      return `/${route.name}`;
  }
}

function listState(query: URLSearchParams): { sort: Sort; watched: Watched | null } {
  return {
    sort: SORTS.find((name) => name === query.get('sort')) ?? 'title',
    watched: WATCHED.find((name) => name === query.get('watched')) ?? null,
  };
}

function whole(text: string | null): number | null {
  return text !== null && /^\d{1,7}$/.test(text) ? Number(text) : null;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

import { describe, expect, it } from 'vitest';
import { formatRoute, parseRoute, sameView, to } from './route';

describe('route', () => {
  it.each([
    '/',
    '/films',
    '/shows?sort=-added',
    '/videos?sort=year&watched=unwatched',
    '/library/a%20b?watched=completed',
    '/item/x',
    '/item/x?season=0',
    '/item/x?season=2&content=1',
    '/play/x?t=90',
    '/comics?sort=-added',
    '/books',
    '/read/x',
    '/read/x?page=12',
    '/search?q=blade+runner',
    '/search',
    '/open',
    '/open/ipfs/bafkqaaa/a%20b/What%3F%20100%25.mkv',
    '/artists',
    '/artist/a%20b',
    '/playlists',
    '/playlist/x',
    '/starred',
    '/friends',
    '/status',
    '/account',
  ])('%s survives a round trip', (url) => expect(formatRoute(parseRoute(url))).toBe(url));

  it('nonsense in a query falls back to the default', () => {
    expect(parseRoute('/films?sort=drop&watched=maybe')).toEqual({
      name: 'section',
      section: 'films',
      sort: 'title',
      watched: null,
    });
    expect(parseRoute('/item/x?season=-1')).toMatchObject({ season: null });
    expect(parseRoute('/play/x?t=1e9')).toMatchObject({ at: null });
  });

  it.each(['/nowhere', '/item', '/item/a/b', '/films/x'])('%s is unknown', (url) =>
    expect(parseRoute(url).name).toBe('unknown'),
  );

  it('a broken escape is kept as it is', () =>
    expect(parseRoute('/item/%E0%A4%A')).toMatchObject({ item: '%E0%A4%A' }));

  it('an open drawer or another sorting is the same view', () => {
    expect(sameView(parseRoute('/item/x'), parseRoute('/item/x?content=1'))).toBe(true);
    expect(sameView(parseRoute('/films'), parseRoute('/films?sort=year'))).toBe(true);
    expect(sameView(parseRoute('/read/x'), parseRoute('/read/x?page=2'))).toBe(true);
    expect(sameView(parseRoute('/item/x'), parseRoute('/item/y'))).toBe(false);
  });

  it('a path of IPFS keeps the names as they are', () => {
    expect(parseRoute('/open/ipfs/bafkqaaa/a%20b')).toEqual({ name: 'open', path: '/ipfs/bafkqaaa/a b' });
    expect(to.open('/ipfs/bafkqaaa/#1?')).toBe('/open/ipfs/bafkqaaa/%231%3F');
  });

  it('ids are escaped in links', () => expect(to.item('a/b')).toBe('/item/a%2Fb'));
});

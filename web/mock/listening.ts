/** What people do with music: artists, stars, playlists, lyrics and the queue, of plain values. */
import type {
  ArtistDetail,
  ArtistSummary,
  ItemSummary,
  Lyrics,
  MusicFacts,
  PlaylistChange,
  PlaylistDetail,
  PlayQueue,
  SavedPlayQueue,
} from '../src/api/types.ts';

interface Reply {
  status?: number;
  json?: unknown;
}

interface Kept {
  id: string;
  name: string;
  comment: string;
  public: boolean;
  items: string[];
  at: number;
}

const NONE: Reply = { status: 404, json: { error: 'not_found', message: 'there is no such thing here' } };
const WORDS = [
  'Low tide at the window',
  'and the boats are paper still',
  'I have counted every light',
  'on the hill',
  '',
];

export class Listening {
  private readonly stars = new Map<string, number>();
  private playlists: Kept[] = [
    {
      id: 'pl1',
      name: 'Sunday',
      comment: 'Slow and long.',
      public: false,
      items: ['m0d1t1', 'm1d1t3', 'm3d1t2'],
      at: 0,
    },
  ];
  private queue: PlayQueue | null = null;

  constructor(private readonly items: () => ItemSummary[]) {}

  /** `null` for what is not its business. */
  route(method: string, [first, id, what]: string[], query: URLSearchParams, body: unknown): Reply | null {
    if (what === 'star' && id) return this.star(method, id);
    if (what === 'lyrics' && id) return { json: this.lyrics(id) };
    if (first === 'artists') return id ? this.artist(id) : { json: this.list(query) };
    if (first === 'starred') return { json: this.starred() };
    if (first === 'playlists') return this.playlist(method, id, body as PlaylistChange & { name?: string });
    if (first === 'play-queue') return this.playQueue(method, body as SavedPlayQueue);
    return null;
  }

  /** With the star that it has. */
  seen(item: ItemSummary): ItemSummary {
    return { ...item, starred_at: this.stars.get(item.id) ?? null };
  }

  facts(item: ItemSummary): MusicFacts | null {
    if (item.kind !== 'track' && item.kind !== 'album') return null;
    const artists = item.artist
      ? [{ id: idOf(item.artist), name: item.artist, role: item.kind === 'album' ? 'albumartist' : 'artist' }]
      : [];
    return { artists, lyrics: item.kind === 'track', gain: { track_gain: -6, track_peak: 0.4 }, sample_rate: 8000 };
  }

  private star(method: string, id: string): Reply {
    if (method === 'PUT') this.stars.set(id, Date.now());
    else this.stars.delete(id);
    return {};
  }

  private all(): ArtistSummary[] {
    const albums = this.items().filter(({ kind }) => kind === 'album');
    const names = [...new Set(albums.map(({ artist }) => artist ?? ''))].sort();
    return names.map((name) => {
      const own = albums.filter(({ artist }) => artist === name);
      const id = idOf(name);
      const poster = own.find(({ poster }) => poster)?.poster ?? null;
      return { id, name, album_count: own.length, poster, starred_at: this.stars.get(id) ?? null, rating: null };
    });
  }

  private list(query: URLSearchParams): { artists: ArtistSummary[]; total: number | null } {
    const q = query.get('q')?.toLowerCase() ?? '';
    const found = this.all().filter(({ name }) =>
      name
        .toLowerCase()
        .split(' ')
        .some((word) => word.startsWith(q)),
    );
    const offset = Number(query.get('offset') ?? 0);
    return { artists: found.slice(offset, offset + Number(query.get('limit') ?? 100)), total: q ? null : found.length };
  }

  private artist(id: string): Reply {
    const found = this.all().find((artist) => artist.id === id);
    if (!found) return NONE;
    const items = this.items().filter(({ artist }) => artist === found.name);
    const albums = items.filter(({ kind }) => kind === 'album').map((item) => this.seen(item));
    const on = new Set(items.filter(({ kind }) => kind === 'track').map(({ show }) => show));
    const appears_on = this.items().filter(({ id, artist }) => on.has(id) && artist !== found.name);
    return { json: { ...found, albums, appears_on } satisfies ArtistDetail };
  }

  private starred() {
    const items = this.items().filter(({ id }) => this.stars.has(id));
    return {
      artists: this.all().filter(({ id }) => this.stars.has(id)),
      albums: items.filter(({ kind }) => kind === 'album').map((item) => this.seen(item)),
      tracks: items.filter(({ kind }) => kind === 'track').map((item) => this.seen(item)),
    };
  }

  private lyrics(id: string): Lyrics[] {
    const track = this.items().find((item) => item.id === id);
    if (!track || track.episode === 3) return [];
    const lines = Array.from({ length: 12 }, (_, i) => ({ start_ms: i * 1200, text: WORDS[i % WORDS.length]! }));
    return [{ language: 'eng', synced: true, lines }];
  }

  private playlist(method: string, id: string | undefined, body: PlaylistChange & { items?: string[] }): Reply {
    if (!id && method === 'GET')
      return { json: this.playlists.map((kept) => ({ ...this.told(kept), items: undefined })) };
    if (!id) {
      const made = {
        id: `pl${Date.now()}`,
        name: body.name ?? '',
        comment: '',
        public: false,
        items: [],
        at: Date.now(),
      };
      this.playlists.push(made);
      this.add(made, body.items ?? []);
      return { status: 201, json: this.told(made) };
    }
    const kept = this.playlists.find((one) => one.id === id);
    if (!kept) return NONE;
    if (method === 'DELETE') {
      this.playlists = this.playlists.filter((one) => one !== kept);
      return {};
    }
    if (method === 'PATCH') this.change(kept, body);
    return { json: this.told(kept) };
  }

  private change(kept: Kept, { name, comment, public: shown, remove = [], add = [], move }: PlaylistChange): void {
    Object.assign(kept, { name: name ?? kept.name, comment: comment ?? kept.comment, public: shown ?? kept.public });
    kept.items = kept.items.filter((_, at) => !remove.includes(at));
    this.add(kept, add);
    if (!move) return;
    const [moved] = kept.items.splice(move.from, 1);
    if (moved) kept.items.splice(move.to, 0, moved);
  }

  private add(kept: Kept, ids: string[]): void {
    for (const id of ids) {
      const tracks = this.items().filter(({ show, kind }) => show === id && kind === 'track');
      kept.items.push(...(tracks.length > 0 ? tracks.map((track) => track.id) : [id]));
    }
  }

  private told(kept: Kept): PlaylistDetail {
    const items = kept.items.flatMap((id) => this.items().find((item) => item.id === id) ?? []);
    const { id, name, comment, public: shown, at } = kept;
    const duration = items.reduce((sum, item) => sum + (item.duration ?? 0), 0);
    const poster = items.find((item) => item.poster)?.poster ?? null;
    const times = { created_at: at, changed_at: at };
    const whose = { owner: 'cook', own: true, public: shown };
    return {
      ...times,
      ...whose,
      id,
      name,
      comment,
      tracks: items.length,
      duration,
      poster,
      items: items.map((item) => this.seen(item)),
    };
  }

  private playQueue(method: string, body: SavedPlayQueue): Reply {
    if (method === 'GET') return this.queue ? { json: this.queue } : {};
    const items = body.items.flatMap((id) => this.items().find((item) => item.id === id) ?? []);
    const { current, position_ms = 0 } = body;
    this.queue = { items, current, position_ms, changed_at: Date.now(), changed_by: 'Potluck' };
    return {};
  }
}

function idOf(name: string): string {
  return `ar-${name.toLowerCase().replaceAll(' ', '-')}`;
}

/** A node made of plain values: enough of the native API for the page, with titles in every state. */
import { createReadStream, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  Account,
  ApiKey,
  AppPassword,
  Folders,
  Friend,
  FriendChange,
  Holder,
  IpfsStatus,
  ItemDetail,
  ItemSummary,
  Library,
  LibraryKind,
  ListenBrainz,
  NewAccount,
  NewLibrary,
  NewReplica,
  Progress,
  Replica,
  ReplicaChange,
  ScanProgress,
  Status,
} from '../src/api/types.ts';
import { picture } from './art.ts';
import { cover, pagePicture, pagesOf, seriesItems } from './comics.ts';
import { epub } from './epub.ts';
import { blockOf, contentOf, FILM_SECONDS, filmFile } from './film.ts';
import { contentAt, gatewayFile } from './ipfs.ts';
import { Listening } from './listening.ts';
import { albums, tone } from './music.ts';
import { renditions, segments, sprite, subtitles, subtitleText, thumbnails, TRANSCODED } from './playing.ts';

export type Household = 'household' | 'empty' | 'huge';

const PEER = '12D3KooWQnwEGNqcM2nAcPtRR9rAX8Hrg4k9kJLCHoTR5chJfz6d';
const IPFS: IpfsStatus = {
  peer_id: PEER,
  name: 'k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8',
  published: true,
  root: 'bafybeidskjjd4zmr7oh6ku6wp72vvbxyibcli2r6if3ocdcy7jjjusvl2u',
  addresses: ['/ip4/203.0.113.7/tcp/4001', '/ip4/192.168.178.20/tcp/4001', '/ip4/192.168.178.20/udp/4001/quic-v1'].map(
    (address) => `${address}/p2p/${PEER}`,
  ),
  external: [`/ip4/203.0.113.7/tcp/4001/p2p/${PEER}`],
  failed: ['/ip4/0.0.0.0/tcp/4002/ws: Address already in use'],
  port_mapping: 'forwarded',
  forwarded: ['203.0.113.7:4001'],
  routing: 'public',
  delegated_routers: [],
  peers: 38,
  relayed: 2,
  routing_peers: 212,
  wanted: 0,
  ledgers: [],
  announced: { roots: 412, announced: 187, failed: 2, sweeps: 3 },
};

const FIRST = [
  'Quiet',
  'Amber',
  'The Long',
  'Paper',
  'Northern',
  'Salt',
  'Hollow',
  'Velvet',
  'Broken',
  'Last',
  'Iron',
  'Blue',
  'Wandering',
  'Zero',
  'Glass',
  'Umber',
  'Early',
  'Yellow',
  'Kind',
  'Jade',
];
const SECOND = [
  'Harbour',
  'Orchard',
  'Winter',
  'Moon',
  'Letters',
  'River',
  'Machine',
  'Garden',
  'Signal',
  'Parade',
  'Coast',
  'Choir',
  'Lantern',
  'Station',
];
const NOW = Date.now();
const HOUR = 3_600_000;
const GB = 1_000_000_000;
const CID = 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';

type Reply = {
  status?: number;
  json?: unknown;
  text?: string;
  type?: string;
  file?: string;
  bytes?: Buffer;
  retryAfter?: number;
};

/** The mock node is busy with other films for this long after it began to play one of them. */
const BUSY_MS = 12_000;
const BUSY_ITEM = 'f2';
/** So that what waits for a page can be seen. */
const PAGE_MS = 120;

const DECODED = ['h264', 'hevc', 'vp9', 'av1', 'mpeg2video', 'vc1'];
const ALL = { decode: DECODED, encode: ['h264'], scale: true, tone_map: true };
const NOTHING = { decode: [], encode: [], scale: false, tone_map: false };
const DEVICES: Status['hardware']['devices'] = [
  { ...ALL, api: 'qsv', path: '/dev/dri/renderD128', name: 'Intel iHD driver - 24.2.1' },
  {
    ...NOTHING,
    api: 'vaapi',
    path: '/dev/dri/renderD129',
    name: '',
    problem: 'The node may not open it. Add its user to the group “render”, then start it again.',
  },
  { ...ALL, api: 'software', path: '', name: 'libx264, 2 threads' },
];

export class MockNode {
  private account: Account | null = null;
  private libraries: Library[] = [];
  private items: ItemSummary[] = [];
  private brainz: ListenBrainz = { connected: false, name: '', refused: false, waiting: 0, told: 0 };
  private apps: AppPassword[] = [
    { id: 'p1', name: 'DSub on my phone', created_at: NOW - 40 * HOUR, used_at: NOW - HOUR },
  ];
  private keys: ApiKey[] = [{ id: 'k1', name: 'Kitchen radio', created_at: NOW - 90 * HOUR, used_at: NOW - 2 * HOUR }];
  private accounts: Account[] = [
    { id: 'a1', name: 'ada', admin: true },
    { id: 'a2', name: 'grandma', admin: false, libraries: ['l1'], max_bit_rate: 4_000_000 },
  ];
  private friends: Friend[] = [];
  private replicas: Replica[] = [];
  private listeners = new Set<ServerResponse>();
  private started = Date.now();
  private busyUntil: number | undefined;
  /** Answers to `items` without their paging, until something changes. */
  private found = new Map<string, ItemSummary[]>();

  constructor(household: Household) {
    if (household === 'empty') return;
    this.friends = [
      { ...friend('r1', 'Bob'), libraries: ['l1'], state: 'online', address: '192.0.2.7:9001', rtt_ms: 18.4 },
      { ...friend('r2', 'Grace'), state: 'online', relayed: true, address: 'https://relay.example.org/', rtt_ms: 61 },
      {
        ...friend('r3', 'The Lovelaces'),
        libraries: ['l1', 'l2'],
        people: { l2: ['ada', 'byron'] },
        detail: 'no answer from any of its addresses',
      },
      { ...friend('r4', 'Mallory'), state: 'refused' },
    ];
    this.libraries = [
      library('l1', 'Films', 'movies', '/srv/media/films'),
      library('l2', 'Shows', 'shows', '/srv/media/shows'),
      library('l3', 'Home videos', 'videos', '/srv/media/videos'),
      library('l4', 'Comics', 'comics', '/srv/media/comics'),
      library('l5', 'Books', 'books', '/srv/media/books'),
      library('l6', 'Music', 'music', '/srv/media/music'),
    ];
    const films = household === 'huge' ? 100_000 : 180;
    for (let i = 0; i < films; i += 1) this.items.push(film(i, 'l1'));
    for (let i = 0; i < 14; i += 1) this.items.push(...show(i, 'l2'));
    for (let i = 0; i < 24; i += 1) this.items.push(video(i, 'l3'));
    this.items.push(...seriesItems('l4', 'l5', NOW));
    this.items.push(...albums('l6', NOW));
    for (const [friend, from] of [BOB, CARLA].map((friend, n) => [friend, 200 + 40 * n] as const)) {
      this.libraries.push({ ...library(friend.id, 'Films', 'movies', ''), path: undefined, friend });
      for (let i = from; i < from + 12; i += 1) this.items.push({ ...film(i, friend.id), friend });
    }
    this.sort();
    this.count();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://mock');
    const path = url.pathname.replace(/^\/api\/v1/, '');
    const bytes = /^\/(?:ipfs|api\/v1\/items\/[^/]+\/blocks)\/(\w+)$/.exec(url.pathname)?.[1];
    const block = bytes && blockOf(bytes);
    if (block) return void response.end(block);
    const content = /^\/ip[fn]s\/(.*)/.exec(url.pathname)?.[1];
    if (content !== undefined) return this.gateway(content, request, response);
    if (path === '/events') return this.listen(request, response);
    const body = await read(request);
    const reply = await this.route(request.method ?? 'GET', path, url.searchParams, body);
    if (reply.retryAfter) response.setHeader('retry-after', String(reply.retryAfter));
    response.statusCode =
      reply.status ?? (reply.json === undefined && !reply.text && !reply.file && !reply.bytes ? 204 : 200);
    if (reply.file) {
      response.setHeader('content-type', reply.type ?? 'application/octet-stream');
      createReadStream(reply.file).pipe(response);
    } else {
      response.setHeader('cache-control', 'no-store');
      response.setHeader('content-type', reply.type ?? 'application/json');
      const part = reply.bytes && /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
      if (reply.bytes && part) return void sendPart(response, reply.bytes, Number(part[1]), part[2]);
      response.end(reply.bytes ?? reply.text ?? (reply.json === undefined ? '' : JSON.stringify(reply.json)));
    }
  }

  private gateway(path: string, { headers }: IncomingMessage, response: ServerResponse): void {
    const found = this.account && gatewayFile(path);
    response.statusCode = found ? 200 : 404;
    if (!found) return void response.end('not found\n');
    response.setHeader('content-type', found.type);
    response.setHeader('accept-ranges', 'bytes');
    const part = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
    if (part) return sendPart(response, found.bytes, Number(part[1]), part[2]);
    response.end(found.bytes);
  }

  /** Nobody but the owner fetches from elsewhere. */
  private async content(path: string): Promise<Reply> {
    if (!this.account?.admin) return problem(403, 'forbidden', 'this account may open only what is on this node');
    const answer = await contentAt(path);
    return 'status' in answer ? problem(answer.status, answer.error, answer.message) : { json: answer };
  }

  private readonly listening = new Listening(() => this.items);

  private route(method: string, path: string, query: URLSearchParams, body: unknown): Reply | Promise<Reply> {
    const [, first, second, third, ...more] = path.split('/');
    const call = `${method} /${first}`;
    if (call === 'POST /login') return this.login(body as { username: string; password: string });
    if (!this.account) return problem(401, 'unauthenticated', 'sign in first');
    if (call === 'POST /logout') return this.logout();
    if (call === 'GET /account') return { json: this.account };
    if (call === 'GET /status') return { json: this.status() };
    if (call === 'GET /ipfs' && !second) return { json: IPFS };
    if (call === 'GET /folders') return { json: folders(query.get('path') ?? '/srv') };
    const heard = this.listening.route(method, path.slice(1).split('/').map(decodeURIComponent), query, body);
    if (heard) return heard;
    if (call === 'GET /ipfs' && second === 'content') return this.content(query.get('path') ?? '');
    if (first === 'libraries') return this.library(method, second, third, body as NewLibrary);
    if (call === 'GET /items' && !second) return { json: this.list(query) };
    if (first === 'items' && second)
      return this.item(method, decodeURIComponent(second), third, more, query, body as Progress);
    if (first === 'api-keys') return this.apiKeys(method, second, body as { name: string });
    if (first === 'app-passwords') return this.appPasswords(method, second, body as { name: string });
    if (first === 'listenbrainz') return this.listenBrainz(method, second, body as { token: string });
    if (first === 'accounts') return this.people(method, body as NewAccount);
    if (first === 'replicas') return this.replica(method, second, body as NewReplica & ReplicaChange);
    if (first === 'friends') return this.friend(method, second, body as FriendChange & { code?: string });
    if (call === 'GET /webrtc') return { json: { enabled: false, ice_servers: [], connections_max: 1 } };
    return problem(404, 'not_found', 'there is no such thing here');
  }

  private login({ username, password }: { username: string; password: string }): Reply {
    if (password === 'wrong') return problem(401, 'unauthenticated', 'name and password do not belong together');
    this.account = { id: 'a1', name: username, admin: username !== 'grandma', libraries: null };
    return { json: this.account };
  }

  private logout(): Reply {
    this.account = null;
    return {};
  }

  private library(method: string, id: string | undefined, action: string | undefined, body: NewLibrary): Reply {
    if (method === 'GET') return { json: this.libraries };
    if (method === 'POST' && !id) {
      if (!body.path.startsWith('/srv'))
        return problem(400, 'invalid', `${body.path} is not a folder the node can read`);
      const made = library(`l${this.libraries.length + 10}`, body.name, body.kind, body.path);
      this.libraries.push(made);
      this.scan(made, true);
      return { json: made };
    }
    const found = this.libraries.find((one) => one.id === id);
    if (!found) return problem(404, 'not_found', 'there is no such library');
    if (method === 'DELETE') {
      this.libraries = this.libraries.filter((one) => one.id !== id);
      this.items = this.items.filter((item) => item.library !== id);
      this.found.clear();
      return {};
    }
    return action === 'scan' ? { json: this.scan(found, false) } : { json: found };
  }

  /** A scan that takes a few seconds and, in a new library, finds titles as it goes. */
  private scan(of: Library, fresh: boolean): ScanProgress {
    const total = 36;
    const progress: ScanProgress = {
      library: of.id,
      state: 'listing',
      files_total: 0,
      files_done: 0,
      bytes_total: 0,
      bytes_done: 0,
      added: 0,
      changed: 0,
      moved: 0,
      trashed: 0,
      problems: 0,
    };
    const timer = setInterval(() => {
      progress.state = 'importing';
      progress.files_total = total;
      progress.bytes_total = total * 1.4e9;
      progress.files_done += 1;
      progress.bytes_done = progress.files_done * 1.4e9;
      progress.current = `${title(progress.files_done)}.mkv`;
      if (fresh) {
        progress.added += 1;
        this.items.push(...foundBy(of, progress.files_done));
        this.sort();
        this.tell('item', { id: 'x', library: of.id, change: 'added' });
      }
      if (progress.files_done >= total) {
        progress.state = 'done';
        progress.current = null;
        of.scanned_at = Date.now();
        clearInterval(timer);
        this.count();
      }
      this.tell('scan', progress);
    }, 180);
    return { ...progress };
  }

  private list(query: URLSearchParams) {
    const found = this.select(query);
    let start = Number(query.get('cursor') ?? 0);
    const from = query.get('from');
    if (from && !query.get('cursor')) {
      start = firstFrom(found, from.toLowerCase());
    }
    const limit = Number(query.get('limit') ?? 50);
    const end = Math.min(found.length, start + limit);
    return {
      items: found.slice(start, end).map((item) => this.listening.seen(item)),
      next: end < found.length ? String(end) : null,
      total: query.get('cursor') ? null : found.length - start,
    };
  }

  private select(query: URLSearchParams): ItemSummary[] {
    const key = ['kind', 'library', 'library_kind', 'show', 'progress', 'q', 'sort']
      .map((name) => query.get(name))
      .join('|');
    const known = this.found.get(key);
    if (known) return known;
    const kind = query.get('kind');
    const of = query.get('library');
    const ofKind = query.get('library_kind');
    const libraries = this.libraries.filter((one) => one.kind === ofKind).map((one) => one.id);
    const show = query.get('show');
    const progress = query.get('progress');
    const words = (query.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    let found = this.items.filter(
      (item) =>
        (kind ? item.kind === kind : !gathers(item)) &&
        (!of || item.library === of) &&
        (!ofKind || libraries.includes(item.library)) &&
        (!show || item.show === show) &&
        matches(item, progress) &&
        words.every((word) =>
          item.title
            .toLowerCase()
            .split(' ')
            .some((part) => part.startsWith(word)),
        ),
    );
    const sort = query.get('sort') ?? 'title';
    const by: Record<string, (item: ItemSummary) => number> = {
      '-added': (item) => -item.added_at,
      year: (item) => item.year ?? 0,
      '-year': (item) => -(item.year ?? 0),
      duration: (item) => item.duration ?? 0,
    };
    const order = show ? place : by[sort];
    if (order) found = [...found].sort((a, b) => order(a) - order(b));
    this.found.set(key, found);
    return found;
  }

  private item(
    method: string,
    id: string,
    what: string | undefined,
    more: string[],
    query: URLSearchParams,
    body: Progress,
  ): Reply | Promise<Reply> {
    const item = this.items.find((one) => one.id === id);
    if (!item) return problem(404, 'not_found', 'there is no such title');
    if (!what) return { json: { ...detail(this.listening.seen(item)), music: this.listening.facts(item) } };
    if (what === 'poster' || what === 'backdrop') return art(item, what);
    if (what === 'progress' && method === 'PUT') {
      item.progress = body;
      this.found.clear();
      return {};
    }
    if (item.kind === 'track' && (what === 'file' || what === 'sound')) return { bytes: tone(item), type: 'audio/wav' };
    if (what === 'file' && item.kind === 'book') return { bytes: epub(item.title), type: 'application/epub+zip' };
    if (what === 'pages') return page(item, more[0], query);
    if (what === 'next' && item.kind === 'book') {
      const next = this.items.find((one) => one.show === item.show && place(one) === place(item) + 1);
      return next ? { json: next } : {};
    }
    if (what === 'next') {
      const next = this.items.find(
        (one) => one.show === item.show && one.season === item.season && one.episode === (item.episode ?? 0) + 1,
      );
      return next ? { json: next } : {};
    }
    if (what === 'hls') return playlist(item, more.join('/'), query.get('burn'));
    if (what === 'renditions') return this.renditions(item, more, query);
    if (what === 'stopped') return {};
    if (what === 'subtitles' && more[0]) return { text: subtitleText(more[0]), type: 'text/vtt' };
    if (what === 'subtitles') return { json: subtitles(id) };
    if (what === 'thumbnails') return more[0] ? { text: sprite(), type: 'image/svg+xml' } : { json: thumbnails(id) };
    return problem(404, 'not_found', 'there is no such thing here');
  }

  private async renditions(item: ItemSummary, more: string[], query: URLSearchParams): Promise<Reply> {
    const [rendition, what] = more;
    const burn = query.get('burn');
    const decision = burn ? BURNT : detail(item).playback!;
    if (!rendition) return { json: renditions(decision, burn) };
    if (what === 'init') return { json: contentOf(`${rendition.replace(/-b\d+$/, '')}/init.mp4`) };
    if (item.id === BUSY_ITEM && rendition.startsWith('v')) {
      this.busyUntil ??= Date.now() + BUSY_MS;
      if (Date.now() < this.busyUntil)
        return { ...problem(429, 'busy', 'the node is busy with 2 other films'), retryAfter: 5 };
    }
    return { json: await segments(rendition, Number(query.get('from')), Number(query.get('count') ?? 4)) };
  }

  private apiKeys(method: string, id: string | undefined, body: { name: string }): Reply {
    if (method === 'GET') return { json: this.keys.map((key) => ({ ...key, key: undefined })) };
    if (method === 'DELETE') {
      this.keys = this.keys.filter((key) => key.id !== id);
      return {};
    }
    const key: ApiKey = { id: `k${Date.now()}`, name: body.name, created_at: Date.now(), used_at: null };
    this.keys.push(key);
    return { json: { ...key, key: 'pk_4f1c9a0f7be24d5e9a6c3d81b7e05f22' } };
  }

  /** Takes any token but `wrong`. */
  private listenBrainz(method: string, action: string | undefined, body: { token: string }): Reply {
    const none: ListenBrainz = { connected: false, name: '', refused: false, waiting: 0, told: 0 };
    if (method === 'PUT' && body.token === 'wrong')
      return problem(400, 'invalid', 'ListenBrainz does not know this token; copy it from the settings there');
    if (method === 'PUT')
      this.brainz = { ...none, connected: true, name: 'ada_l', told: 128, told_at: Date.now() - 300_000, waiting: 2 };
    if (method === 'DELETE') this.brainz = none;
    if (action === 'check') this.brainz = { ...this.brainz, waiting: 0 };
    return { json: this.brainz };
  }

  private appPasswords(method: string, id: string | undefined, body: { name: string }): Reply {
    const password = 'k3f7-9x2m-tq8w-0hdn-5yvb-r4cz-ea61';
    if (method === 'GET' && id) return { json: { ...this.apps.find((app) => app.id === id), password } };
    if (method === 'GET') return { json: this.apps };
    if (method === 'DELETE') {
      this.apps = this.apps.filter((app) => app.id !== id);
      return {};
    }
    const app: AppPassword = { id: `p${Date.now()}`, name: body.name, created_at: Date.now(), used_at: null };
    this.apps.push(app);
    return { json: { ...app, password } };
  }

  private people(method: string, body: NewAccount): Reply {
    if (method === 'GET') return { json: this.accounts };
    if (this.accounts.some((one) => one.name === body.name))
      return problem(409, 'conflict', `${body.name} has an account already`);
    const made: Account = {
      id: `a${Date.now()}`,
      name: body.name,
      admin: body.admin ?? false,
      libraries: body.libraries,
    };
    this.accounts.push(made);
    return { json: made };
  }

  private replica(method: string, id: string | undefined, body: NewReplica & ReplicaChange): Reply {
    if (method === 'GET') {
      const used = this.replicas.reduce((sum, rule) => sum + rule.bytes_done, 0);
      const room = { quota: 200 * GB, used, free: 900 * GB, spare: 10 * GB, fetched: used };
      return { json: { folder: '/srv/media/replicas', ...room, rules: this.replicas } };
    }
    if (method === 'POST') {
      const made = replica(`k${Date.now()}`, body.target, this.libraries, this.items);
      this.replicas.push(made);
      return { status: 201, json: made };
    }
    const found = this.replicas.find((one) => one.id === id);
    if (!found) return problem(404, 'not_found', 'there is no such thing here');
    if (method === 'DELETE') this.replicas = this.replicas.filter((one) => one !== found);
    else if (body.paused !== undefined) found.state = body.paused ? 'paused' : 'fetching';
    if (method === 'PATCH' && body.policy) Object.assign(found, { policy: body.policy, copies: body.copies });
    return method === 'DELETE' ? {} : { json: found };
  }

  private friend(method: string, id: string | undefined, body: FriendChange & { code?: string }): Reply {
    if (method === 'GET') return { json: this.friends };
    if (id === 'invites') {
      const code = 'potluckae' + 'hnva3vy5ttqkkq2x6g4lsbdizrmf7po'.repeat(8);
      const times = { created_at: Date.now(), expires_at: Date.now() + 72 * HOUR };
      return { status: 201, json: { id: 'i1', name: body.name ?? null, ...times, code } };
    }
    if (id === 'accept') {
      if (!body.code?.startsWith('potluck'))
        return problem(400, 'invalid', 'this is not an invite: its code begins with "potluck"');
      const made: Friend = { ...friend(`r${Date.now()}`, body.name ?? 'bobs-node'), state: 'online', rtt_ms: 3 };
      this.friends.push(made);
      return { status: 201, json: made };
    }
    const found = this.friends.find((one) => one.id === id);
    if (!found) return problem(404, 'not_found', 'there is no friend');
    if (method === 'DELETE') this.friends = this.friends.filter((one) => one !== found);
    else {
      const { people = {}, ...rest } = body;
      Object.assign(found, rest);
      const named = Object.entries({ ...found.people, ...people });
      found.people = Object.fromEntries(
        named.filter((entry): entry is [string, string[]] => entry[1] !== null && found.libraries.includes(entry[0])),
      );
    }
    return method === 'DELETE' ? {} : { json: found };
  }

  private status(): Status {
    const wave = (scale: number, shift: number) =>
      Array.from({ length: 60 }, (_, i) =>
        Math.max(0, Math.round(scale * (Math.sin((i + shift) / 6) + Math.sin(i / 2.3 + shift) / 3 + 0.2))),
      );
    return {
      version: '0.1.0',
      node_id: 'k51qzi5uqu5dh9jpcw7m3u2vfx0aaivbw8yqs5k6s0m1r8p7k3ez4h4u9n2d1c',
      uptime_seconds: Math.floor((Date.now() - this.started) / 1000) + 273_600,
      totals: { items: this.items.length, files: this.items.length, bytes: this.items.length * 4.2e9, damaged: 1 },
      libraries: this.libraries,
      carriers: [
        {
          name: 'http',
          enabled: true,
          detail: '127.0.0.1:8080',
          connections: 4,
          requests: 18_233,
          bytes_sent: 8.2e8,
          bytes_received: 2.1e7,
          history: wave(4e6, 3),
        },
        {
          name: 'https',
          enabled: false,
          detail: 'TLS is off: behind a proxy',
          connections: 0,
          requests: 0,
          bytes_sent: 0,
          bytes_received: 0,
          history: Array(60).fill(0),
        },
        {
          name: 'webrtc',
          enabled: true,
          detail: 'UDP 0.0.0.0:9000',
          connections: 2,
          requests: 5120,
          bytes_sent: 9.4e9,
          bytes_received: 4.4e7,
          history: wave(3.2e7, 0),
        },
      ],
      workers: { limit: 2, running: 2, busy: 1, failures: 1, detail: 'Kept warm; each may use 1.5 GB.' },
      hardware: {
        used: true,
        detail: 'Quick Sync is used; the processor takes over when it fails.',
        devices: DEVICES,
      },
      transcodes: [
        {
          item: 'f20',
          title: title(20),
          rendition: 'v0-1080',
          encoder: 'h264_qsv',
          viewers: 2,
          segments_ready: 41,
          segments: 1204,
        },
        {
          item: 'f24',
          title: title(24),
          rendition: 'v0-720',
          encoder: null,
          viewers: 1,
          segments_ready: 0,
          segments: 1540,
          detail: 'waits for a free place: 2 films are transcoded at once',
        },
      ],
      storage: {
        catalog: 1.4e7,
        index: 4.8e8,
        artwork: 9.1e7,
        renditions: 6.4e9,
        renditions_quota: 1e10,
        thumbnails: 2.2e8,
        published: 1.1e9,
        free: 2.1e11,
      },
      scrub: {
        every_days: 30,
        due_files: 0,
        due_bytes: 0,
        verified_files: 214,
        verified_bytes: 9.3e11,
        healed_files: 0,
      },
      alerts: this.items.length
        ? [
            {
              level: 'error',
              message: 'Broken Harbour changed on disk although its time did not',
              action: 'Check the disk, then restore the file from a backup.',
              item: 'f8',
            },
            {
              level: 'warning',
              message: 'One file in Films could not be read',
              action: 'Replace it or change its permissions, then rescan.',
              library: 'l1',
            },
          ]
        : [],
    };
  }

  private listen(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': hello\n\n');
    this.listeners.add(response);
    request.on('close', () => this.listeners.delete(response));
  }

  private tell(event: string, data: unknown): void {
    for (const listener of this.listeners) listener.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  private sort(): void {
    this.found.clear();
    this.items.sort((a, b) => (sortTitle(a.title) < sortTitle(b.title) ? -1 : 1));
  }

  private count(): void {
    for (const one of this.libraries) {
      const own = this.items.filter((item) => item.library === one.id && !gathers(item));
      one.items = own.length;
      one.bytes = own.reduce((sum, item) => sum + (item.size ?? 0), 0);
    }
  }
}

/** What a scan of a new library finds as its `n`th. */
function foundBy(of: Library, n: number): ItemSummary[] {
  const i = 500 + n;
  switch (of.kind) {
    case 'movies':
      return [film(i, of.id)];
    case 'shows':
      return show(i, of.id);
    case 'videos':
      return [video(i, of.id)];
    default:
      return n === 1 ? seriesItems(of.id, of.id, NOW) : [];
  }
}

function gathers({ kind }: ItemSummary): boolean {
  return kind === 'show' || kind === 'series' || kind === 'album';
}

/** Where an episode or book stands in its show or series. */
function place({ id, season, episode }: ItemSummary): number {
  return Number(/b(\d+)$/.exec(id)?.[1] ?? (season ?? 0) * 1000 + (episode ?? 0));
}

async function page(item: ItemSummary, number: string | undefined, query: URLSearchParams): Promise<Reply> {
  if (!number) return { json: pagesOf(item) };
  await new Promise((resolve) => setTimeout(resolve, PAGE_MS));
  const text = pagePicture(item, Number(number), query.has('convert'));
  return text ? { text, type: 'image/svg+xml' } : problem(500, 'damaged', 'this page is cut off in its archive');
}

function matches(item: ItemSummary, progress: string | null): boolean {
  if (!progress) return true;
  const begun = (item.progress?.position ?? 0) > 0 && !item.progress?.completed;
  if (progress === 'started') return begun;
  if (progress === 'completed') return item.progress?.completed ?? false;
  return !begun && !item.progress?.completed;
}

function sortTitle(title: string): string {
  return title.toLowerCase().replace(/^(the|a|an) /, '');
}

/** By halves: titles are in order. */
function firstFrom(items: ItemSummary[], letter: string): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sortTitle(items[middle]!.title) < letter) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Friends whose films are in the lists; one node is there, one is not. */
const BOB: Holder = { id: 'b1', name: 'Bob', online: true };
const CARLA: Holder = { id: 'b2', name: 'Carla de Vries', online: false };

function library(id: string, name: string, kind: LibraryKind, path: string): Library {
  return {
    id,
    name,
    kind,
    visibility: 'private',
    state: 'available',
    path,
    items: 0,
    bytes: 0,
    scanned_at: NOW - HOUR,
    scan: null,
  };
}

function title(i: number): string {
  const name = `${FIRST[i % FIRST.length]} ${SECOND[(i * 5 + Math.floor(i / 20)) % SECOND.length]}`;
  return i < 280 ? name : `${name} ${i}`;
}

function base(id: string, library: string, i: number): ItemSummary {
  return {
    id,
    library,
    kind: 'video',
    state: 'present',
    title: title(i),
    added_at: NOW - i * 7 * HOUR,
    cid: CID,
    size: 3.1e9 + i * 1e7,
    poster: `/api/v1/items/${id}/poster`,
  };
}

function film(i: number, library: string): ItemSummary {
  const item: ItemSummary = {
    ...base(`f${i}`, library, i),
    kind: 'movie',
    year: 1960 + ((i * 13) % 65),
    duration: [0, 1, 2, 20].includes(i) ? FILM_SECONDS : 4800 + ((i * 977) % 4200),
    width: i % 4 === 0 ? 3840 : i % 7 === 0 ? 1280 : 1920,
    height: i % 4 === 0 ? 2160 : i % 7 === 0 ? 720 : 1080,
    hdr: i % 8 === 0 ? 'pq' : null,
  };
  if (i % 9 === 1) item.progress = { position: (item.duration ?? 0) * 0.4, completed: false };
  if (i % 5 === 3) item.progress = { position: 0, completed: true };
  if (i === 8) item.state = 'damaged';
  if (i === 11) item.state = 'unreadable';
  if (i === 14) item.state = 'unavailable';
  if (i % 6 === 5) item.poster = null;
  return item;
}

function show(i: number, library: string): ItemSummary[] {
  const id = `s${i}`;
  const name = title(i * 3 + 40);
  const episodes: ItemSummary[] = [];
  for (let season = 0; season <= 1 + (i % 3); season += 1) {
    for (let episode = 1; episode <= (season === 0 ? 2 : 8); episode += 1) {
      const one: ItemSummary = {
        ...base(`${id}e${season}x${episode}`, library, i * 31 + season * 9 + episode),
        kind: 'episode',
        show: id,
        show_title: name,
        season,
        episode,
        duration: season === 1 && episode === 3 ? FILM_SECONDS : 2700,
        width: 1920,
        height: 1080,
      };
      if (season === 1 && episode < 3) one.progress = { position: 0, completed: true };
      if (i === 0 && season === 1 && episode === 3) one.progress = { position: 45, completed: false };
      episodes.push(one);
    }
  }
  return [
    {
      ...base(id, library, i * 3 + 40),
      kind: 'show',
      year: 2000 + i,
      episodes: episodes.length,
      cid: null,
      size: null,
    },
    ...episodes,
  ];
}

function video(i: number, library: string): ItemSummary {
  return {
    ...base(`v${i}`, library, i + 90),
    title: `Summer ${2000 + i}, at the lake`,
    duration: 60 + i * 41,
    width: 1280,
    height: 720,
  };
}

function replica(id: string, target: string, libraries: Library[], items: ItemSummary[]): Replica {
  const library = libraries.find((one) => one.id === target);
  const item = items.find((one) => one.id === target);
  return {
    id,
    target,
    friend: library?.friend ?? item?.friend,
    scope: library ? 'library' : 'item',
    title: library?.name ?? item?.title ?? '',
    policy: 'everything',
    state: 'fetching',
    items: library ? 12 : 1,
    items_done: library ? 4 : 0,
    bytes: library ? 48 * GB : 4 * GB,
    bytes_done: library ? 17 * GB : GB,
    over_quota: 0,
    created_at: NOW,
  };
}

function friend(id: string, name: string): Friend {
  const endpoint = id.padEnd(52, 'a');
  return { id, name, endpoint, libraries: [], people: {}, created_at: NOW, state: 'off', relayed: false };
}

function detail(item: ItemSummary): ItemDetail {
  const length = item.duration ?? 0;
  const names = ['Opening', 'The crossing', 'Deeper', 'Stillness', 'Return', 'Credits'];
  const book = item.kind === 'book';
  const track = item.kind === 'track';
  const hevc = item.id === 'f20' || item.id === BUSY_ITEM;
  return {
    ...item,
    overview:
      track || item.kind === 'album'
        ? null
        : 'A keeper of an unlit lighthouse finds that the ships still come. Over one winter she learns whom they are looking for, and what the coast has kept from her.',
    genres: track || item.kind === 'album' ? ['Ambient'] : ['Drama', 'Mystery'],
    backdrop: `/api/v1/items/${item.id}/backdrop`,
    files: gathers(item)
      ? []
      : [
          {
            cid: item.cid,
            size: item.size ?? 0,
            name: `${item.title}.${book ? 'cbz' : track ? 'wav' : 'mkv'}`,
            container: book ? 'zip' : track ? 'wav' : 'matroska',
            path: `/srv/media/films/${item.title}/${item.title}.${book ? 'cbz' : 'mkv'}`,
            verified_at: NOW - 26 * HOUR,
          },
        ],
    sources: [{ friend: item.friend ?? null, item: item.id, state: item.state, cid: item.cid ?? null }],
    streams:
      gathers(item) || book
        ? []
        : track
          ? [{ index: 0, kind: 'audio', codec: 'pcm', channels: 1, sample_rate: 8000 }]
          : [
              {
                index: 0,
                kind: 'video',
                codec: hevc ? 'hevc' : 'h264',
                profile: hevc ? 'Main 10' : 'High',
                width: item.width,
                height: item.height,
                frame_rate: 23.976,
                hdr: item.hdr,
                bit_rate: 8_200_000,
              },
              {
                index: 1,
                kind: 'audio',
                codec: 'aac',
                profile: 'LC',
                language: 'eng',
                channels: 6,
                sample_rate: 48000,
                default: true,
              },
              {
                index: 2,
                kind: 'audio',
                codec: 'ac3',
                language: 'deu',
                title: 'Commentary',
                channels: 2,
                sample_rate: 48000,
              },
              { index: 3, kind: 'subtitle', codec: 'subrip', language: 'eng' },
              { index: 4, kind: 'subtitle', codec: 'ass', language: 'jpn' },
              { index: 5, kind: 'subtitle', codec: 'hdmv_pgs_subtitle', language: 'fre' },
            ],
    chapters:
      item.kind === 'movie'
        ? names.map((name, i) => ({ start: (length * i) / 6, end: (length * (i + 1)) / 6, title: name }))
        : [],
    playback:
      gathers(item) || book || track
        ? null
        : hevc
          ? TRANSCODED
          : { method: 'copy', reason: 'repackaged without re-encoding' },
    problem:
      item.state === 'damaged'
        ? 'Block 311 of 2,957 does not hash to its name any more.'
        : item.state === 'unreadable'
          ? 'The file ends after 12 MB; its index is missing.'
          : null,
  };
}

function art(item: ItemSummary, what: 'poster' | 'backdrop'): Reply {
  if (item.id.startsWith('c') && what === 'poster') return { text: cover(item), type: 'image/svg+xml' };
  if (what === 'poster' && !item.poster) return problem(404, 'not_found', 'it has no picture');
  if (what === 'poster' && (item.kind === 'album' || item.kind === 'track')) {
    const seed = 31 * Number(/^m(\d+)/.exec(item.id)?.[1] ?? 0) + 11;
    return { text: picture(seed, 600, 600), type: 'image/svg+xml' };
  }
  const tall = what === 'poster' && (item.kind === 'movie' || item.kind === 'show');
  const seed = [...item.id].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7) % 100_003;
  return { text: tall ? picture(seed, 400, 600) : picture(seed, 1280, 720), type: 'image/svg+xml' };
}

function folders(path: string): Folders {
  const tree: Record<string, string[]> = {
    '/': ['home', 'srv'],
    '/srv': ['media', 'backup'],
    '/srv/media': ['films', 'shows', 'videos', 'comics', 'books', 'music'],
    '/srv/media/films': ['Amber Orchard (1999)', 'Quiet Harbour (1960)'],
  };
  const clean = path === '/' ? '/' : path.replace(/\/+$/, '');
  return {
    path: clean,
    parent: clean === '/' ? null : clean.split('/').slice(0, -1).join('/') || '/',
    folders: (tree[clean] ?? []).map((name) => ({ name, path: `${clean === '/' ? '' : clean}/${name}` })),
    videos: clean.startsWith('/srv/media') ? 312 : 0,
    videos_more: clean === '/srv/media',
  };
}

const BURNT = {
  method: 'transcode' as const,
  reason: 'the video is transcoded because subtitles are drawn into it',
};

/** The film's playlists; without its own picture where that cannot be played, and with other names where it is drawn on. */
function playlist(item: ItemSummary, name: string, burn: string | null): Reply {
  const file = filmFile(name.replace(/-b\d+\//, '/'));
  if (!file) return problem(404, 'not_found', 'there is no such thing here');
  if (!name.endsWith('master.m3u8')) {
    const list = readFileSync(file, 'utf8').replace(/init_\d+\.mp4/, 'init.mp4');
    return { text: list, type: 'application/vnd.apple.mpegurl' };
  }
  const only = burn !== null || detail(item).playback?.method === 'transcode';
  let text = readFileSync(file, 'utf8');
  if (only) text = text.replace(/#EXT-X-STREAM-INF[^\n]*\nv0\/index\.m3u8\n/, '');
  if (burn) text = text.replace(/^(v0-\d+)\//gm, `$1-b${burn}/`);
  return { text, type: 'application/vnd.apple.mpegurl' };
}

function sendPart(response: ServerResponse, bytes: Buffer, from: number, last: string | undefined): void {
  const end = Math.min(bytes.length, last ? Number(last) + 1 : bytes.length);
  response.statusCode = 206;
  response.setHeader('content-range', `bytes ${from}-${end - 1}/${bytes.length}`);
  response.end(bytes.subarray(from, end));
}

function problem(status: number, error: string, message: string): Reply {
  return { status, json: { error, message } };
}

async function read(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? undefined : JSON.parse(text);
}

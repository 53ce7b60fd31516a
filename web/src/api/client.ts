/**
 * Every call the page makes to the native API. Answers come back typed; refusals and failures are thrown as `ApiError`
 * with a sentence for people and details to copy. Nothing here keeps state.
 */
import type {
  AcceptInvite,
  Account,
  AccountChange,
  ApiKey,
  AppPassword,
  ArtistDetail,
  ArtistList,
  BookPages,
  Capabilities,
  Folders,
  Friend,
  FriendChange,
  Invite,
  IpfsContent,
  IpfsStatus,
  ItemDetail,
  ItemPage,
  ItemSummary,
  Library,
  ListenBrainz,
  Lyrics,
  NewAccount,
  NewInvite,
  NewLibrary,
  NewReplica,
  PlaylistChange,
  PlaylistDetail,
  PlaylistSummary,
  PlayQueue,
  Problem,
  ProgressChange,
  ReadingPlace,
  Replica,
  ReplicaChange,
  Replicas,
  SavedPlayQueue,
  ScanProgress,
  Starred,
  Status,
  Subtitles,
  Thumbnails,
  Verdict,
} from './types';

const BASE = '/api/v1';

/** Why a call gave no answer. `word` is the node's stable word, or `unreachable` when no node answered. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly word: string,
    message: string,
    readonly call: string,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** What a person can paste into a report. */
  get detail(): string {
    return `${this.call}\n${this.status || 'no answer'} ${this.word}\n${this.message}\n${new Date().toISOString()}`;
  }
}

/** Query of `GET /items`; see the node's API description for each field. */
export interface ItemQuery {
  library?: string;
  library_kind?: string;
  kind?: string;
  show?: string;
  q?: string;
  sort?: string;
  progress?: string;
  from?: string;
  cursor?: string;
  limit?: number;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface CallOptions {
  query?: object;
  body?: unknown;
  signal?: AbortSignal;
  keepalive?: boolean;
}

let refused: () => void = () => {};

/** Called when the node says that nobody is signed in any more. */
export function onSignedOut(handler: () => void): void {
  refused = handler;
}

async function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
  const url = BASE + path + queryString(options.query);
  const name = `${method} ${url}`;
  const init: RequestInit = { method, credentials: 'same-origin', headers: { accept: 'application/json' } };
  if (options.signal) init.signal = options.signal;
  if (options.keepalive) init.keepalive = true;
  if (options.body !== undefined) {
    init.body = JSON.stringify(options.body);
    init.headers = { ...init.headers, 'content-type': 'application/json' };
  }
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new ApiError(0, 'unreachable', '', name);
  }
  if (!response.ok) throw await refusal(response, name);
  if (response.status === 204 || response.headers.get('content-length') === '0') return undefined as T;
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function refusal(response: Response, name: string): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as Partial<Problem> | null;
  const word = body?.error ?? `http_${response.status}`;
  // A wrong password is refused with 401 too, and signs nobody out.
  if (response.status === 401 && !/\/(login|password)$/.test(name)) refused();
  return new ApiError(response.status, word, body?.message ?? '', name);
}

/** Leaves out what is absent or empty. */
export function queryString(query: object | undefined): string {
  const pairs = Object.entries(query ?? {}).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  );
  if (pairs.length === 0) return '';
  return '?' + new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
}

const id = encodeURIComponent;

export const api = {
  login: (username: string, password: string) => call<Account>('POST', '/login', { body: { username, password } }),
  logout: () => call<void>('POST', '/logout'),
  account: () => call<Account>('GET', '/account'),
  status: (signal?: AbortSignal) => call<Status>('GET', '/status', { signal }),
  ipfs: (signal?: AbortSignal) => call<IpfsStatus>('GET', '/ipfs', { signal }),

  libraries: () => call<Library[]>('GET', '/libraries'),
  addLibrary: (library: NewLibrary) => call<Library>('POST', '/libraries', { body: library }),
  removeLibrary: (library: string) => call<void>('DELETE', `/libraries/${id(library)}`),
  scan: (library: string) => call<ScanProgress>('POST', `/libraries/${id(library)}/scan`),
  folders: (path: string | undefined, signal?: AbortSignal) =>
    call<Folders>('GET', '/folders', { query: { path }, signal }),

  items: (query: ItemQuery, signal?: AbortSignal) => call<ItemPage>('GET', '/items', { query, signal }),
  /** How it plays is decided for `client`; for any browser without one. */
  item: (item: string, client: Capabilities | null, signal?: AbortSignal) =>
    call<ItemDetail>('GET', `/items/${id(item)}`, { query: client ?? undefined, signal }),
  subtitles: (item: string, signal?: AbortSignal) => call<Subtitles>('GET', `/items/${id(item)}/subtitles`, { signal }),
  thumbnails: (item: string, signal?: AbortSignal) =>
    call<Thumbnails>('GET', `/items/${id(item)}/thumbnails`, { signal }),
  /** The pages of a book, in reading order. */
  pages: (item: string, signal?: AbortSignal) => call<BookPages>('GET', `/items/${id(item)}/pages`, { signal }),
  /** Tells that nobody watches here any more, so that nothing is transcoded in vain. Outlives the page. */
  stopped: (item: string) => call<void>('POST', `/items/${id(item)}/stopped`, { keepalive: true }),
  /** The episode or book after this one; `null` after the last. */
  next: async (item: string): Promise<ItemSummary | null> =>
    (await call<ItemSummary | undefined>('GET', `/items/${id(item)}/next`)) ?? null,
  /** Has the node read the whole file again; the problem it found, or `null`. */
  verify: async (item: string): Promise<string | null> =>
    (await call<Verdict>('POST', `/items/${id(item)}/verify`)).problem ?? null,
  /** `keepalive` lets the call outlive the page. */
  /** Where in the chapter that its progress names; nothing where that is not known. */
  place: (item: string, signal?: AbortSignal) =>
    call<ReadingPlace | undefined>('GET', `/items/${id(item)}/place`, { signal }),
  saveProgress: (item: string, progress: ProgressChange, keepalive = false) =>
    call<void>('PUT', `/items/${id(item)}/progress`, { body: progress, keepalive }),

  artists: (query: { q?: string; offset?: number; limit?: number }, signal?: AbortSignal) =>
    call<ArtistList>('GET', '/artists', { query, signal }),
  artist: (artist: string, signal?: AbortSignal) => call<ArtistDetail>('GET', `/artists/${id(artist)}`, { signal }),
  starred: (signal?: AbortSignal) => call<Starred>('GET', '/starred', { signal }),
  /** Of a track or an album, or of an artist. */
  star: (kind: 'items' | 'artists', one: string, starred: boolean) =>
    call<void>(starred ? 'PUT' : 'DELETE', `/${kind}/${id(one)}/star`),
  lyrics: (item: string, signal?: AbortSignal) => call<Lyrics[]>('GET', `/items/${id(item)}/lyrics`, { signal }),
  playlists: (signal?: AbortSignal) => call<PlaylistSummary[]>('GET', '/playlists', { signal }),
  playlist: (playlist: string, signal?: AbortSignal) =>
    call<PlaylistDetail>('GET', `/playlists/${id(playlist)}`, { signal }),
  /** `items` are ids of tracks and albums. */
  addPlaylist: (name: string, items: string[]) => call<PlaylistDetail>('POST', '/playlists', { body: { name, items } }),
  changePlaylist: (playlist: string, change: PlaylistChange) =>
    call<PlaylistDetail>('PATCH', `/playlists/${id(playlist)}`, { body: change }),
  removePlaylist: (playlist: string) => call<void>('DELETE', `/playlists/${id(playlist)}`, { keepalive: true }),
  /** What was heard last, at whatever device; `null` where nothing was saved. */
  playQueue: async (): Promise<PlayQueue | null> => (await call<PlayQueue | undefined>('GET', '/play-queue')) ?? null,
  /** `keepalive` lets the call outlive the page. */
  savePlayQueue: (queue: SavedPlayQueue, keepalive = false) =>
    call<void>('PUT', '/play-queue', { body: queue, keepalive }),

  apiKeys: () => call<ApiKey[]>('GET', '/api-keys'),
  addApiKey: (name: string) => call<ApiKey>('POST', '/api-keys', { body: { name } }),
  removeApiKey: (key: string) => call<void>('DELETE', `/api-keys/${id(key)}`),
  appPasswords: () => call<AppPassword[]>('GET', '/app-passwords'),
  addAppPassword: (name: string) => call<AppPassword>('POST', '/app-passwords', { body: { name } }),
  /** With the password itself. */
  appPassword: (app: string) => call<AppPassword>('GET', `/app-passwords/${id(app)}`),
  removeAppPassword: (app: string) => call<void>('DELETE', `/app-passwords/${id(app)}`),
  listenBrainz: () => call<ListenBrainz>('GET', '/listenbrainz'),
  /** The token is looked at there first. */
  connectListenBrainz: (token: string) => call<ListenBrainz>('PUT', '/listenbrainz', { body: { token } }),
  /** Looks whether the token is still taken there, and tells what waits. */
  checkListenBrainz: () => call<ListenBrainz>('POST', '/listenbrainz/check'),
  disconnectListenBrainz: () => call<void>('DELETE', '/listenbrainz'),
  accounts: () => call<Account[]>('GET', '/accounts'),
  addAccount: (account: NewAccount) => call<Account>('POST', '/accounts', { body: account }),
  changeAccount: (account: string, change: AccountChange) =>
    call<Account>('PATCH', `/accounts/${id(account)}`, { body: change }),
  removeAccount: (account: string) => call<void>('DELETE', `/accounts/${id(account)}`),
  changePassword: (before: string, after: string) =>
    call<void>('PUT', '/account/password', { body: { old: before, new: after } }),

  friends: () => call<Friend[]>('GET', '/friends'),
  /** The answer has the code, which nobody can show again. */
  invite: (invite: NewInvite) => call<Invite>('POST', '/friends/invites', { body: invite }),
  acceptInvite: (invite: AcceptInvite) => call<Friend>('POST', '/friends/accept', { body: invite }),
  changeFriend: (friend: string, change: FriendChange) =>
    call<Friend>('PATCH', `/friends/${id(friend)}`, { body: change }),
  revokeFriend: (friend: string) => call<void>('DELETE', `/friends/${id(friend)}`),

  replicas: () => call<Replicas>('GET', '/replicas'),
  /** Keeps a library, show or item of a friend's on the node's disk. */
  keep: (replica: NewReplica) => call<Replica>('POST', '/replicas', { body: replica }),
  changeReplica: (replica: string, change: ReplicaChange) =>
    call<Replica>('PATCH', `/replicas/${id(replica)}`, { body: change }),
  /** `files`: those that it made go too. */
  endReplica: (replica: string, files: boolean) =>
    call<void>('DELETE', `/replicas/${id(replica)}`, { query: { files } }),

  /**
   * What is at a path of IPFS, here or at any node that is asked: it can take a minute. `path` is `/ipfs/CID/names` or
   * `/ipns/NAME/names`, with names as they are.
   */
  ipfsContent: (path: string, signal?: AbortSignal) =>
    call<IpfsContent>('GET', '/ipfs/content', { query: { path: path.split('/').map(id).join('/') }, signal }),

  /** A file of the node as text: a whole subtitle track, a playlist. */
  text: async (path: string, signal?: AbortSignal): Promise<string> => {
    const init: RequestInit = { credentials: 'same-origin', signal: signal ?? null };
    const response = await fetch(path, init).catch((cause: unknown) => {
      if (signal?.aborted) throw cause;
      throw new ApiError(0, 'unreachable', '', `GET ${path}`);
    });
    if (!response.ok) throw await refusal(response, `GET ${path}`);
    return response.text();
  },

  /** A file of the node as it is: a page of a book, a whole book. */
  blob: async (path: string, signal?: AbortSignal): Promise<Blob> => {
    const init: RequestInit = { credentials: 'same-origin', signal: signal ?? null };
    try {
      const response = await fetch(path, init);
      if (!response.ok) throw await refusal(response, `GET ${path}`);
      return await response.blob();
    } catch (cause) {
      if (signal?.aborted || cause instanceof ApiError) throw cause;
      throw new ApiError(0, 'unreachable', '', `GET ${path}`);
    }
  },

  /** A file of the node piece by piece, as it comes. */
  pieces: async function* (path: string, signal: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const response = await fetch(path, { credentials: 'same-origin', signal });
    if (!response.ok) throw await refusal(response, `GET ${path}`);
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) yield part.value;
  },

  /** One block of an item, as it is. */
  block: async (item: string, cid: string): Promise<Uint8Array<ArrayBuffer>> => {
    const path = `${BASE}/items/${id(item)}/blocks/${id(cid)}`;
    const response = await fetch(path, { credentials: 'same-origin' }).catch(() => {
      throw new ApiError(0, 'unreachable', '', `GET ${path}`);
    });
    if (!response.ok) throw await refusal(response, `GET ${path}`);
    return new Uint8Array(await response.arrayBuffer());
  },
};

/** Where the node answers about an item, for `src` attributes and players. */
export const address = {
  poster: (item: string) => `${BASE}/items/${id(item)}/poster`,
  backdrop: (item: string) => `${BASE}/items/${id(item)}/backdrop`,
  file: (item: string) => `${BASE}/items/${id(item)}/file`,
  /** A track's sound encoded anew, without its first `offset` seconds. */
  sound: (item: string, format: 'mp3' | 'opus', offset: number) =>
    `${BASE}/items/${id(item)}/sound${queryString({ format, offset: offset > 0 ? offset : undefined })}`,
  /** `convert` for a type that no browser shows. */
  page: (item: string, page: number, convert?: 'jpeg' | 'png') =>
    `${BASE}/items/${id(item)}/pages/${page}${queryString({ convert })}`,
  playlist: (item: string, client: Capabilities) => `${BASE}/items/${id(item)}/hls/master.m3u8${queryString(client)}`,
  mediaPlaylist: (item: string, rendition: string) => `${BASE}/items/${id(item)}/hls/${id(rendition)}/index.m3u8`,
  events: () => `${BASE}/events`,
  ipfs: (cid: string) => `/ipfs/${cid}`,
};

/** The JSON shapes of the native API, by the names the node gives them. */

export type LibraryKind = 'movies' | 'shows' | 'videos';
export type Visibility = 'private' | 'friends' | 'public';
export type LibraryState = 'available' | 'unavailable';
export type ItemKind = 'movie' | 'show' | 'episode' | 'video';
export type ItemState = 'present' | 'unavailable' | 'trashed' | 'damaged' | 'unreadable';
export type StreamKind = 'video' | 'audio' | 'subtitle' | 'attachment';
export type HdrFormat = 'pq' | 'hlg' | 'dolbyvision';
export type ScanState = 'queued' | 'listing' | 'importing' | 'done' | 'failed';
export type PlaybackMethod = 'direct' | 'copy' | 'unsupported';

export interface Problem {
  error: string;
  message: string;
}
export interface Account {
  id: string;
  name: string;
  admin: boolean;
  libraries?: string[] | null;
}
export interface NewAccount {
  name: string;
  password: string;
  admin?: boolean;
  libraries?: string[] | null;
}
export interface ApiKey {
  id: string;
  name: string;
  created_at: number;
  used_at?: number | null;
  key?: string | null;
}
export interface ScanProgress {
  library: string;
  state: ScanState;
  files_total: number;
  files_done: number;
  bytes_total: number;
  bytes_done: number;
  added: number;
  changed: number;
  moved: number;
  trashed: number;
  problems: number;
  current?: string | null;
}
export interface Library {
  id: string;
  name: string;
  kind: LibraryKind;
  visibility: Visibility;
  state: LibraryState;
  path?: string | null;
  items: number;
  bytes: number;
  scanned_at?: number | null;
  scan?: ScanProgress | null;
}
export interface NewLibrary {
  name: string;
  kind: LibraryKind;
  path: string;
  visibility?: Visibility | null;
}
export interface Progress {
  position: number;
  completed: boolean;
}
export interface ItemSummary {
  id: string;
  library: string;
  kind: ItemKind;
  state: ItemState;
  title: string;
  year?: number | null;
  show?: string | null;
  show_title?: string | null;
  season?: number | null;
  episode?: number | null;
  episode_end?: number | null;
  episodes?: number | null;
  duration?: number | null;
  width?: number | null;
  height?: number | null;
  hdr?: HdrFormat | null;
  cid?: string | null;
  size?: number | null;
  poster?: string | null;
  progress?: Progress | null;
  added_at: number;
}
export interface ItemPage {
  items: ItemSummary[];
  next?: string | null;
  total?: number | null;
}
export interface Stream {
  index: number;
  kind: StreamKind;
  codec: string;
  codec_string?: string | null;
  profile?: string | null;
  language?: string | null;
  title?: string | null;
  default?: boolean;
  forced?: boolean;
  width?: number | null;
  height?: number | null;
  frame_rate?: number | null;
  bit_depth?: number | null;
  hdr?: HdrFormat | null;
  channels?: number | null;
  sample_rate?: number | null;
  bit_rate?: number | null;
}
export interface Chapter {
  start: number;
  end: number;
  title?: string | null;
}
export interface ItemFile {
  cid?: string | null;
  size: number;
  name: string;
  container?: string | null;
  path?: string | null;
  verified_at?: number | null;
}
export interface PlaybackDecision {
  method: PlaybackMethod;
  reason: string;
}
export type ItemDetail = ItemSummary & {
  overview?: string | null;
  genres: string[];
  backdrop?: string | null;
  files: ItemFile[];
  streams: Stream[];
  chapters: Chapter[];
  playback?: PlaybackDecision | null;
  problem?: string | null;
};
export interface Folder {
  name: string;
  path: string;
}
export interface Folders {
  path: string;
  parent?: string | null;
  folders: Folder[];
  videos: number;
  videos_more: boolean;
}
export interface Carrier {
  name: string;
  enabled: boolean;
  detail: string;
  connections: number;
  requests: number;
  bytes_sent: number;
  bytes_received: number;
  history: number[];
}
export interface Alert {
  level: string;
  message: string;
  action: string;
  item?: string | null;
  library?: string | null;
}
export interface Status {
  version: string;
  node_id: string;
  uptime_seconds: number;
  totals: { items: number; files: number; bytes: number; damaged: number };
  libraries: Library[];
  carriers: Carrier[];
  workers: { limit: number; running: number; busy: number; failures: number; detail: string };
  hardware: { used: boolean; detail: string };
  storage: { catalog: number; index: number; artwork: number; free: number };
  alerts: Alert[];
}
export interface ItemChanged {
  id: string;
  library: string;
  change: string;
}

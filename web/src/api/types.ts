/** The JSON shapes of the native API under the names the node gives them. `schema.d.ts` is made by `npm run generate`. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type AcceptInvite = Schemas['AcceptInvite'];
export type Account = Schemas['Account'];
export type AccountChange = Schemas['AccountChange'];
export type Alert = Schemas['Alert'];
export type ApiKey = Schemas['ApiKey'];
export type AppPassword = Schemas['AppPassword'];
export type Carrier = Schemas['Carrier'];
export type Chapter = Schemas['Chapter'];
export type DeviceReport = Schemas['DeviceReport'];
export type Folders = Schemas['Folders'];
export type Friend = Schemas['Friend'];
export type FriendChange = Schemas['FriendChange'];
export type FriendFault = Schemas['FriendFault'];
export type FriendState = Schemas['FriendState'];
export type Holder = Schemas['Holder'];
export type HdrFormat = Schemas['HdrFormat'];
export type Invite = Schemas['Invite'];
/** An entry of a folder; `size` is the bytes of the blocks below it. */
export interface IpfsEntry {
  name: string;
  cid: string;
  size: number;
}

/** What is at a path of IPFS. */
export interface IpfsContent {
  path: string;
  cid: string;
  /** A `block` is neither a file nor a folder of UnixFS. */
  kind: 'file' | 'folder' | 'block';
  /** `null` where a CID or a name of IPNS was asked for alone. */
  name: string | null;
  /** Bytes; of a file. */
  size: number | null;
  media_type: string | null;
  /** Where the gateway has it. */
  url: string;
  /** Of a folder, by name. */
  entries: IpfsEntry[];
  /** The folder has more entries than these. */
  truncated: boolean;
}

export type ItemChanged = Schemas['ItemChanged'];
export type ItemFile = Schemas['ItemFile'];
export type ItemSource = Schemas['ItemSource'];
export type ItemState = Schemas['ItemState'];
export type NewAccount = Schemas['NewAccount'];
export type NewInvite = Schemas['NewInvite'];
export type NewReplica = Schemas['NewReplica'];
export type PlaybackDecision = Schemas['PlaybackDecision'];
export type Problem = Schemas['Problem'];
export type Progress = Schemas['Progress'];
export type ProgressChange = Schemas['ProgressChange'];
export type ReadingPlace = Schemas['ReadingPlace'];
export type Rendition = Schemas['Rendition'];
export type Renditions = Schemas['Renditions'];
export type Replica = Schemas['Replica'];
export type ReplicaChange = Schemas['ReplicaChange'];
export type ReplicaPolicy = Schemas['ReplicaPolicy'];
export type Replicas = Schemas['Replicas'];
export type ReplicaState = Schemas['ReplicaState'];
export type ScanProgress = Schemas['ScanProgress'];
export type ScanState = Schemas['ScanState'];
export type Segment = Schemas['Segment'];
export type Stream = Schemas['Stream'];
export type Subtitles = Schemas['Subtitles'];
export type SubtitleTrack = Schemas['SubtitleTrack'];
export type Thumbnails = Schemas['Thumbnails'];
export type Transcode = Schemas['Transcode'];
export type Verdict = Schemas['Verdict'];
export type Visibility = Schemas['Visibility'];

export type { Capabilities } from '../exchange/capabilities';
export type BookDirection = Schemas['BookDirection'];
export type BookPage = Schemas['BookPage'];
export type BookPages = Schemas['BookPages'];
export type ItemDetail = Schemas['ItemDetail'];
export type ItemKind = Schemas['ItemKind'];
export type ItemPage = Schemas['ItemPage'];
export type ItemSummary = Schemas['ItemSummary'];
export type Library = Schemas['Library'];
export type LibraryKind = Schemas['LibraryKind'];
export type NewLibrary = Schemas['NewLibrary'];
export type Status = Schemas['Status'];
export type ArtistDetail = Schemas['ArtistDetail'];
export type ArtistList = Schemas['ArtistList'];
export type ArtistSummary = Schemas['ArtistSummary'];
export type ListenBrainz = Schemas['ListenBrainz'];
export type Lyrics = Schemas['Lyrics'];
export type LyricsLine = Schemas['LyricsLine'];
export type MusicFacts = Schemas['MusicFacts'];
export type PlaylistChange = Schemas['PlaylistChange'];
export type PlaylistDetail = Schemas['PlaylistDetail'];
export type PlaylistSummary = Schemas['PlaylistSummary'];
export type PlayQueue = Schemas['PlayQueue'];
export type ReplayGain = Schemas['ReplayGain'];
export type SavedPlayQueue = Schemas['SavedPlayQueue'];
export type Starred = Schemas['Starred'];

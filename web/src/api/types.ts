/** The JSON shapes of the native API under the names the node gives them. `schema.d.ts` is made by `npm run generate`. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type AcceptInvite = Schemas['AcceptInvite'];
export type Account = Schemas['Account'];
export type AccountChange = Schemas['AccountChange'];
export type Alert = Schemas['Alert'];
export type ApiKey = Schemas['ApiKey'];
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
export type {
  BookDirection,
  BookPage,
  BookPages,
  ItemDetail,
  ItemKind,
  ItemPage,
  ItemSummary,
  Library,
  LibraryKind,
  NewLibrary,
  Status,
} from './books';

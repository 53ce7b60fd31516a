/** The JSON shapes of the native API under the names the node gives them. `schema.d.ts` is made by `npm run generate`. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Account = Schemas['Account'];
export type AccountChange = Schemas['AccountChange'];
export type Alert = Schemas['Alert'];
export type ApiKey = Schemas['ApiKey'];
export type Carrier = Schemas['Carrier'];
export type Chapter = Schemas['Chapter'];
export type DeviceReport = Schemas['DeviceReport'];
export type Folders = Schemas['Folders'];
export type Holder = Schemas['Holder'];
export type HdrFormat = Schemas['HdrFormat'];
export type ItemChanged = Schemas['ItemChanged'];
export type ItemDetail = Schemas['ItemDetail'];
export type ItemFile = Schemas['ItemFile'];
export type ItemKind = Schemas['ItemKind'];
export type ItemPage = Schemas['ItemPage'];
export type ItemSource = Schemas['ItemSource'];
export type ItemState = Schemas['ItemState'];
export type ItemSummary = Schemas['ItemSummary'];
export type Library = Schemas['Library'];
export type LibraryKind = Schemas['LibraryKind'];
export type NewAccount = Schemas['NewAccount'];
export type NewLibrary = Schemas['NewLibrary'];
export type PlaybackDecision = Schemas['PlaybackDecision'];
export type Problem = Schemas['Problem'];
export type Progress = Schemas['Progress'];
export type Rendition = Schemas['Rendition'];
export type Renditions = Schemas['Renditions'];
export type ScanProgress = Schemas['ScanProgress'];
export type ScanState = Schemas['ScanState'];
export type Status = Schemas['Status'];
export type Segment = Schemas['Segment'];
export type Stream = Schemas['Stream'];
export type Subtitles = Schemas['Subtitles'];
export type SubtitleTrack = Schemas['SubtitleTrack'];
export type Thumbnails = Schemas['Thumbnails'];
export type Transcode = Schemas['Transcode'];
export type Verdict = Schemas['Verdict'];
export type Visibility = Schemas['Visibility'];

export type { Capabilities } from '../exchange/capabilities';

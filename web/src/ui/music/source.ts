/** Where a track's sound comes from: its file as it is, or made anew where this browser cannot play that. */
import { address } from '../../api/client';
import type { ItemDetail } from '../../api/types';

export interface Source {
  made: boolean;
  /** `offset` seconds are left out at the beginning, of what is made alone. */
  url: (offset: number) => string;
}

type Facts = Pick<ItemDetail, 'streams' | 'files'>;

const ENDINGS: Record<string, string> = {
  mp3: 'audio/mpeg',
  flac: 'audio/flac',
  opus: 'audio/ogg; codecs=opus',
  ogg: 'audio/ogg; codecs=vorbis',
  oga: 'audio/ogg; codecs=vorbis',
  m4a: 'audio/mp4; codecs="mp4a.40.2"',
  m4b: 'audio/mp4; codecs="mp4a.40.2"',
  aac: 'audio/aac',
  wav: 'audio/wav',
};

/** The media type to ask a browser about; null where none plays it, or nobody knows what it is. */
export function typeOf({ streams, files }: Facts): string | null {
  const ending = /\.(\w+)$/.exec(files[0]?.name ?? '')?.[1]?.toLowerCase() ?? '';
  const codec = streams.find(({ kind }) => kind === 'audio')?.codec;
  if (!codec) return ENDINGS[ending] ?? null;
  const container = files[0]?.container ?? '';
  const ogg = /ogg/.test(container) || ['ogg', 'oga', 'opus'].includes(ending);
  const webm = /matroska|webm/.test(container);
  if (codec === 'mp3') return webm ? null : 'audio/mpeg';
  if (codec === 'aac') return webm ? null : ending === 'aac' ? 'audio/aac' : 'audio/mp4; codecs="mp4a.40.2"';
  if (codec === 'flac') return ogg ? 'audio/ogg; codecs=flac' : webm ? null : 'audio/flac';
  if (codec === 'opus' || codec === 'vorbis') return `audio/${webm ? 'webm' : 'ogg'}; codecs=${codec}`;
  if (codec.startsWith('pcm')) return /wav/.test(container) || ending === 'wav' ? 'audio/wav' : null;
  return null;
}

/** `plays` is the browser's `canPlayType`. */
export function sourceFor(track: string, facts: Facts, plays: (type: string) => string): Source {
  const type = typeOf(facts);
  return type !== null && plays(type) !== '' ? { made: false, url: () => address.file(track) } : made(track, plays);
}

export function made(track: string, plays: (type: string) => string): Source {
  const format = plays('audio/ogg; codecs=opus') !== '' ? 'opus' : 'mp3';
  return { made: true, url: (offset) => address.sound(track, format, offset) };
}

/** Bytes of decoded sound that a device bears, of one track. */
export function bearable(memoryGigabytes: number | undefined): number {
  return (memoryGigabytes !== undefined && memoryGigabytes <= 2 ? 96 : 256) * 1024 * 1024;
}

/** Whether a track may be decoded as a whole: 12 minutes of stereo are 254 MB. */
export function isDecoded({ streams, duration, size }: Measured, rate: number, most: number): boolean {
  const channels = streams.find(({ kind }) => kind === 'audio')?.channels ?? 2;
  if (!duration || !size) return false;
  return duration * rate * channels * 4 + size <= most;
}

type Measured = Pick<ItemDetail, 'streams' | 'duration' | 'size'>;

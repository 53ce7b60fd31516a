/** Facts of a title in a few characters: badges, the line under a name, the line on its page. */
import type { ItemDetail, ItemSummary, Library, Stream } from '../../api/types';
import { t } from '../../strings';
import { bytes } from './bytes';
import { length } from './time';

/** `4K`, `1080p`, `SD`; `null` where the size is not known. Wide films count by their width. */
export function resolution(width?: number | null, height?: number | null): string | null {
  if (!width || !height) return null;
  const lines = Math.max(height, Math.round((width * 9) / 16));
  if (lines >= 4000) return '8K';
  if (lines >= 1900) return '4K';
  if (lines >= 1300) return '1440p';
  if (lines >= 1000) return '1080p';
  if (lines >= 700) return '720p';
  return 'SD';
}

/** The second line of a card. */
export function subtitle(item: ItemSummary): string {
  if (item.kind === 'episode' && item.episode) {
    return joined(t.item.episodeCode(item.season, item.episode, item.episode_end), item.show_title);
  }
  if (item.kind === 'show') return joined(item.year, item.episodes ? t.item.episodeCount(item.episodes) : null);
  if (item.kind === 'series') return joined(item.year, booksLine(item));
  if (item.kind === 'book') return joined(numberOf(item), item.pages ? t.item.pageCount(item.pages) : null);
  if (item.kind === 'album') return joined(item.artist, item.year);
  if (item.kind === 'track') return joined(item.artist, item.show_title);
  return joined(item.year, item.duration ? length(item.duration) : null);
}

/** Year, pages or length, resolution, HDR, sound, size: one line. */
export function factsLine(item: ItemDetail): string[] {
  const sound = item.streams.find((stream) => stream.kind === 'audio');
  return [
    item.year ? String(item.year) : null,
    item.kind === 'show' && item.episodes ? t.item.episodeCount(item.episodes) : null,
    item.kind === 'series' ? booksLine(item) : null,
    item.kind === 'album' && item.episodes ? t.music.trackCount(item.episodes) : null,
    item.pages ? t.item.pageCount(item.pages) : null,
    item.duration ? length(item.duration) : null,
    resolution(item.width, item.height),
    item.hdr ? t.hdr[item.hdr] : null,
    sound ? soundName(sound) : null,
    item.size ? bytes(item.size) : null,
  ].filter((fact) => fact !== null);
}

/** How much of it is watched or read, 0 to 1; `null` where nothing is begun or all is done. */
export function watchedShare(item: ItemSummary): number | null {
  const { progress, duration, pages } = item;
  const whole = item.kind === 'book' ? pages : duration;
  if (!progress || progress.completed || !whole || progress.position < 1) return null;
  return Math.min(1, progress.position / whole);
}

/** `#10.5`: where a book stands in its series. */
export function numberOf(item: ItemSummary): string | null {
  return item.number ? t.item.bookNumber(item.number) : null;
}

/** What is left of something begun: of a film in minutes, of a book by its pages. */
export function leftOf(item: ItemSummary): string | null {
  if (watchedShare(item) === null || !item.progress) return null;
  if (item.pages) return t.item.pageOf(item.progress.position, item.pages);
  return t.common.minutesLeft(length((item.duration ?? 0) - item.progress.position));
}

function booksLine(item: ItemSummary): string | null {
  return item.episodes ? t.item.bookCount(item.episodes) : null;
}

/** `H.264 High · 1920 × 1080 · 24 fps`, `AAC · 5.1 · 48 kHz`. */
export function streamLine(stream: Stream): string {
  return joined(
    spaced(codecName(stream.codec), stream.profile),
    stream.width && stream.height ? `${stream.width} × ${stream.height}` : null,
    stream.hdr ? t.hdr[stream.hdr] : null,
    stream.bit_depth && stream.bit_depth > 8 ? `${stream.bit_depth} bit` : null,
    stream.frame_rate ? `${Number(stream.frame_rate.toFixed(2))} fps` : null,
    stream.channels ? channelNames(stream.channels) : null,
    stream.sample_rate ? `${Number((stream.sample_rate / 1000).toFixed(1))} kHz` : null,
    stream.bit_rate ? `${bitRate(stream.bit_rate)}` : null,
  );
}

/** A track as people choose it: its own name, or its language. */
export function trackName(track: { title?: string | null; language?: string | null }, fallback: string): string {
  const language = track.language && track.language !== 'und' ? languageName(track.language) : null;
  if (track.title && language && !track.title.toLowerCase().includes(language.toLowerCase())) {
    return `${language} · ${track.title}`;
  }
  return track.title || language || fallback;
}

const LANGUAGES = new Intl.DisplayNames(['en'], { type: 'language' });

export function languageName(code: string): string {
  try {
    return LANGUAGES.of(code) ?? code;
  } catch {
    return code;
  }
}

type Part = string | number | null | undefined;

/** ` · ` between what is there. */
export function joined(...parts: Part[]): string {
  return parts.filter(isShown).join(' · ');
}

/** A space between what is there. */
function spaced(...parts: Part[]): string {
  return parts.filter(isShown).join(' ');
}

function isShown(part: Part): boolean {
  return part !== null && part !== undefined && part !== '';
}

const CODECS: Record<string, string> = {
  h264: 'H.264',
  hevc: 'HEVC',
  av1: 'AV1',
  vp9: 'VP9',
  mpeg2video: 'MPEG-2',
  vc1: 'VC-1',
  vp8: 'VP8',
  mpeg4: 'MPEG-4',
  aac: 'AAC',
  ac3: 'AC-3',
  eac3: 'E-AC-3',
  dts: 'DTS',
  truehd: 'TrueHD',
  flac: 'FLAC',
  opus: 'Opus',
  mp3: 'MP3',
  vorbis: 'Vorbis',
  subrip: 'SRT',
  ass: 'ASS',
  mov_text: 'Text',
  webvtt: 'WebVTT',
  hdmv_pgs_subtitle: 'PGS pictures',
  dvd_subtitle: 'DVD pictures',
  dvb_subtitle: 'DVB pictures',
};

export function codecName(codec: string): string {
  return CODECS[codec] ?? codec.toUpperCase();
}

function soundName(stream: Stream): string {
  return spaced(codecName(stream.codec), stream.channels ? channelNames(stream.channels) : null);
}

export function channelNames(count: number): string {
  const names: Record<number, string> = { 1: 'mono', 2: 'stereo', 6: '5.1', 7: '6.1', 8: '7.1' };
  return names[count] ?? `${count} channels`;
}

export function bitRate(bitsPerSecond: number): string {
  const mega = bitsPerSecond / 1e6;
  return mega >= 1 ? `${Number(mega.toFixed(1))} Mbit/s` : `${Math.round(bitsPerSecond / 1000)} kbit/s`;
}

/** A clause of the node's as a sentence's beginning. */
export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The first letters of a name's first and last word: `AL` of `Ada Lovelace`. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const ends = words.length > 1 ? [words[0]!, words.at(-1)!] : words;
  return ends.map((word) => [...word][0]!.toLocaleUpperCase()).join('');
}

/** A library's name; of a friend's with whose it is, because names are the same everywhere. */
export function libraryName(library: Pick<Library, 'name' | 'friend'>): string {
  return library.friend ? t.friend.library(library.name, library.friend.name) : library.name;
}

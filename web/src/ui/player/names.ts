/** What people call what the player offers: rungs, tracks, encoders. Pure. */
import type { Rendition, Stream, SubtitleTrack } from '../../api/types';
import { t } from '../../strings';
import { bitRate, channelNames, codecName, joined, trackName } from '../text/facts';
import type { Track } from './playback.svelte';
import type { Rung } from './quality';

/** `1080p`, `4K`. */
export function linesName(lines: number): string {
  return lines >= 2160 ? (lines >= 4320 ? '8K' : '4K') : `${lines}p`;
}

/** `Original (4K)`, `1080p`. */
export function rungName(rung: Rung): string {
  return rung.original ? t.player.original(linesName(rung.lines)) : linesName(rung.lines);
}

/** `Auto (720p now)`. */
export function autoName(now: Rung | null, chosen: boolean): string {
  return now && chosen ? t.player.autoNow(linesName(now.lines)) : t.player.auto;
}

export function rungDetail(rung: Rung): string {
  const rate = t.player.upTo(bitRate(rung.bitRate));
  return rung.original ? rate : joined(rate, t.player.transcoded);
}

/** Index of the stream that a rendition is made of: 3 of `a3-aac2` and `s3`. */
export function streamOf(rendition: string | null): number | null {
  const index = /^[avs](\d+)(?:-|$)/.exec(rendition ?? '')?.[1];
  return index === undefined ? null : Number(index);
}

/** `German · Commentary` and under it `AC-3 5.1, sent as AAC stereo`. */
export function soundName(track: Track, at: number, streams: readonly Stream[], renditions: readonly Rendition[]) {
  const stream = streams.find(({ index }) => index === streamOf(track.rendition));
  const rendition = renditions.find(({ id }) => id === track.rendition);
  const title = stream?.title ?? (track.name === track.language ? null : track.name);
  const name = trackName({ title, language: stream?.language ?? track.language }, track.name ?? t.player.track(at + 1));
  return { name, detail: soundDetail(stream, rendition, track.channels) };
}

function soundDetail(stream: Stream | undefined, rendition: Rendition | undefined, channels: number | null) {
  if (!stream) return channels ? channelNames(channels) : null;
  const source = joinedBySpace(codecName(stream.codec), stream.channels ? channelNames(stream.channels) : null);
  if (rendition?.method !== 'transcode') return source;
  const sent = rendition.channels ?? channels;
  return t.player.sentAs(source, joinedBySpace('AAC', sent ? channelNames(sent) : null));
}

/** `English`, `English, forced`, and what choosing it means. */
export function subtitleName(track: SubtitleTrack, at: number) {
  const named = trackName({ title: track.name, language: track.language }, t.player.track(at + 1));
  const name = track.forced && !/forced/i.test(named) ? t.player.forced(named) : named;
  const detail = { text: null, ass: t.player.styled, picture: t.player.pictures }[track.format];
  return { name, detail };
}

/** An encoder as people know it: `Quick Sync`, `the processor (libx264)`. */
export function encoderName(encoder: string): string {
  if (encoder === 'copy') return t.info.copied;
  if (encoder.endsWith('_qsv')) return `Quick Sync (${encoder})`;
  if (encoder.endsWith('_vaapi')) return `VAAPI (${encoder})`;
  return t.info.software(encoder);
}

function joinedBySpace(...parts: (string | null)[]): string {
  return parts.filter((part) => part !== null).join(' ');
}

/** How one stream of a file plays in this browser, in few words. Pure. */
import type { Capabilities, ItemDetail, Stream } from '../../api/types';
import { t } from '../../strings';

const PICTURES = ['hdmv_pgs_subtitle', 'dvd_subtitle', 'dvb_subtitle', 'xsub'];
const STYLED = ['ass', 'ssa'];

/** `null` for what is not played: cover art, attachments, a second film in the file. */
export function howItPlays(stream: Stream, item: ItemDetail, client: Capabilities): string | null {
  const method = item.playback?.method;
  if (!method || method === 'unsupported') return null;
  switch (stream.kind) {
    case 'video':
      if (stream !== film(item)) return null;
      return method === 'transcode' ? t.item.plays.video : t.item.plays.asItIs;
    case 'audio':
      return client.audio.split(',').includes(stream.codec) ? t.item.plays.asItIs : t.item.plays.audio;
    case 'subtitle':
      if (PICTURES.includes(stream.codec)) return t.item.plays.picture;
      return STYLED.includes(stream.codec) ? t.item.plays.ass : t.item.plays.text;
  }
  return null;
}

function film(item: ItemDetail): Stream | undefined {
  const films = item.streams.filter(({ kind }) => kind === 'video');
  return films.find((stream) => stream.default) ?? films[0];
}

import { describe, expect, it } from 'vitest';
import type { Capabilities, ItemDetail, Stream } from '../../api/types';
import { howItPlays } from './plays';

const client: Capabilities = { video: 'h264', audio: 'aac,opus', hdr: false, channels: 2, height: 1080 };
const stream = (index: number, kind: Stream['kind'], codec: string) => ({ index, kind, codec }) as Stream;
const streams = [
  stream(0, 'video', 'hevc'),
  stream(1, 'audio', 'ac3'),
  stream(2, 'audio', 'aac'),
  stream(3, 'subtitle', 'subrip'),
  stream(4, 'subtitle', 'ass'),
  stream(5, 'subtitle', 'hdmv_pgs_subtitle'),
  stream(6, 'video', 'mjpeg'),
  stream(7, 'attachment', 'ttf'),
];
const item = (method: string) => ({ streams, playback: { method, reason: '' } }) as unknown as ItemDetail;

describe('how a stream plays', () => {
  it('is told for each that is played', () => {
    expect(streams.map((one) => howItPlays(one, item('transcode'), client))).toEqual([
      'converted to H.264',
      'converted to AAC',
      'plays as it is',
      'shown by this page',
      'shown with its own styles and fonts',
      'drawn into the film when chosen',
      null,
      null,
    ]);
    expect(howItPlays(streams[0]!, item('audio'), client)).toBe('plays as it is');
    expect(howItPlays(streams[0]!, item('unsupported'), client)).toBeNull();
  });
});

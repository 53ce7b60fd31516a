import { describe, expect, it } from 'vitest';
import { bearable, isDecoded, sourceFor, typeOf } from './source';

type Facts = Parameters<typeof typeOf>[0];

const facts = (codec: string | null, name: string, container: string | null = null): Facts => ({
  streams: codec ? [{ index: 0, kind: 'audio', codec }] : [],
  files: [{ name, container, size: 1 }],
});

describe('source', () => {
  it.each([
    ['mp3', 'a.mp3', 'audio/mpeg'],
    ['flac', 'a.flac', 'audio/flac'],
    ['flac', 'a.oga', 'audio/ogg; codecs=flac'],
    ['opus', 'a.opus', 'audio/ogg; codecs=opus'],
    ['vorbis', 'a.ogg', 'audio/ogg; codecs=vorbis'],
    ['aac', 'a.m4a', 'audio/mp4; codecs="mp4a.40.2"'],
    ['pcm_s16le', 'a.wav', 'audio/wav'],
    ['pcm', 'a.aiff', null],
    ['alac', 'a.m4a', null],
    ['wavpack', 'a.wv', null],
    ['wmav2', 'a.wma', null],
    [null, 'a.MP3', 'audio/mpeg'],
    [null, 'a.dsf', null],
  ])('%s in %s is %s', (codec, name, type) => expect(typeOf(facts(codec, name))).toBe(type));

  it('what the browser plays comes as it is', () => {
    const source = sourceFor('t', facts('flac', 'a.flac'), () => 'maybe');
    expect(source.made).toBe(false);
    expect(source.url(0)).toBe('/api/v1/items/t/file');
  });

  it('what it does not play is made anew, in what it does play', () => {
    const modern = sourceFor('t', facts('alac', 'a.m4a'), () => 'probably');
    expect(modern.url(0)).toBe('/api/v1/items/t/sound?format=opus');
    expect(modern.url(12.5)).toBe('/api/v1/items/t/sound?format=opus&offset=12.5');
    const other = sourceFor('t', facts('flac', 'a.flac'), (type) => (type === 'audio/mpeg' ? 'maybe' : ''));
    expect(other.url(0)).toBe('/api/v1/items/t/sound?format=mp3');
  });
});

describe('what is decoded as a whole', () => {
  const stereo = { streams: [{ index: 0, kind: 'audio' as const, codec: 'flac', channels: 2 }], size: 30e6 };
  const most = bearable(8);
  it.each([
    [240, true],
    [600, true],
    [780, false],
    [0, false],
    [null, false],
  ])('%s seconds: %s', (duration, wanted) =>
    expect(isDecoded({ ...stereo, duration } as Parameters<typeof isDecoded>[0], 44_100, most)).toBe(wanted),
  );
  it('a small device bears less', () => {
    expect(isDecoded({ ...stereo, duration: 240 } as Parameters<typeof isDecoded>[0], 44_100, bearable(1))).toBe(false);
    expect(bearable(undefined)).toBe(most);
  });
});

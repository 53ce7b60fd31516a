import { describe, expect, it } from 'vitest';
import { capLevel, linesAbove, Pace, renditionOf, rungFor, rungsOf, segmentAt, wishOf } from './quality';

const level = (id: string, width: number, height: number, bitrate: number) => ({
  uri: `http://node/api/v1/items/i/hls/${id}/index.m3u8`,
  width,
  height,
  bitrate,
});
/** As hls.js sorts them: lowest first. */
const LEVELS = [
  level('v0-480', 854, 356, 1.4e6),
  level('v0-720', 1280, 534, 3e6),
  level('v0-1080', 1920, 800, 6e6),
  level('v0', 1920, 800, 12e6),
];
const rungs = rungsOf(LEVELS);

describe('the ladder', () => {
  it('has the original first and names rungs as people do', () => {
    expect(rungs.map(({ rendition, lines, level }) => [rendition, lines, level])).toEqual([
      ['v0', 1080, 3],
      ['v0-1080', 1080, 2],
      ['v0-720', 720, 1],
      ['v0-480', 480, 0],
    ]);
    expect(rungsOf([...LEVELS, LEVELS[3]!])).toHaveLength(4);
    expect(rungsOf([level('v0-720-b3', 1280, 720, 3e6)])[0]).toMatchObject({ lines: 720, original: false });
  });

  it('reads the rendition out of a playlist address', () => {
    expect(renditionOf('/api/v1/items/i/hls/a1-aac2/index.m3u8?x')).toBe('a1-aac2');
    expect(renditionOf('/api/v1/items/i/hls/master.m3u8')).toBeNull();
  });

  it('finds the segment of a time in a playlist', () => {
    const playlist = '#EXTM3U\n#EXTINF:4.004,\n0.m4s\n#EXTINF:6,\n1.m4s\n#EXTINF:2.5,\n2.m4s\n#EXT-X-ENDLIST\n';
    expect([0, 4, 4.1, 10.1, 12.6].map((time) => segmentAt(playlist, time))).toEqual([0, 0, 1, 2, null]);
    expect(segmentAt('', 0)).toBeNull();
  });

  it('gives what was wished for, or the nearest below', () => {
    expect(rungFor(rungs, 'auto')).toBeNull();
    expect(rungFor(rungs, 'original')?.rendition).toBe('v0');
    expect(rungFor(rungs, 720)?.rendition).toBe('v0-720');
    expect(rungFor(rungs, 2160)?.rendition).toBe('v0-1080');
    expect(rungFor(rungs, 240)?.rendition).toBe('v0-480');
    const transcoded = rungs.filter(({ original }) => !original);
    expect(rungFor(transcoded, 'original')?.rendition).toBe('v0-1080');
    expect(rungFor([], 720)).toBeNull();
    expect(rungs.map(wishOf)).toEqual(['original', 1080, 720, 480]);
  });

  it('is capped to save data, and below what the node cannot keep up with', () => {
    const free = { saveData: false, slow: null, ceiling: 1080 };
    expect(capLevel(rungs, free)).toBe(-1);
    expect(capLevel(rungs, { ...free, saveData: true })).toBe(1);
    expect(capLevel(rungs, { ...free, slow: 2 })).toBe(1);
    expect(capLevel(rungs, { saveData: true, slow: 1, ceiling: 1080 })).toBe(0);
    expect(capLevel(rungs, { ...free, slow: 0 })).toBe(0);
    expect(capLevel([], { ...free, saveData: true })).toBe(-1);
    const under = rungsOf([LEVELS[0]!, LEVELS[3]!, LEVELS[2]!]);
    expect(capLevel(under, free)).toBe(1);
  });

  it('begins at a ceiling for what is transcoded, and has a next rung above', () => {
    const large = rungsOf([...LEVELS.slice(0, 3), level('v0-2160', 3840, 1600, 16e6)]);
    expect(capLevel(large, { saveData: false, slow: null, ceiling: 1080 })).toBe(2);
    expect(capLevel(large, { saveData: false, slow: null, ceiling: 2160 })).toBe(-1);
    expect([480, 1080, 2160].map((lines) => linesAbove(large, lines))).toEqual([720, 2160, 2160]);
  });
});

describe('the pace of the node', () => {
  it('is too slow after two segments in a row that took longer than they play', () => {
    const pace = new Pace();
    expect(pace.made(2, 10, 9000, 4)).toBe(false);
    expect(pace.made(2, 11, 5000, 4)).toBe(false);
    expect(pace.made(2, 12, 4100, 4)).toBe(true);
  });

  it('is not judged by what comes after a seek or a change of rung', () => {
    const pace = new Pace();
    const made = [pace.made(2, 1, 5000, 4), pace.made(2, 2, 5000, 4), pace.made(2, 40, 5000, 4)];
    expect([...made, pace.made(1, 41, 5000, 4), pace.made(1, 42, 5000, 4), pace.made(1, 43, 10, 4)]).not.toContain(
      true,
    );
  });
});

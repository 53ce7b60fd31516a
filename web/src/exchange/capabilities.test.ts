import { describe, expect, it } from 'vitest';
import { detect, usefulHeight, type Browser } from './capabilities.ts';

/** A browser that takes the types in which one of `words` stands. */
function browser(words: string[], parts: Partial<Browser> = {}): Browser {
  return {
    isTypeSupported: (type) => words.some((word) => type.includes(word)),
    decodingInfo: async () => ({ supported: true, smooth: true }),
    matches: () => false,
    channels: () => 2,
    screen: { width: 1920, height: 1080 },
    pixelRatio: 1,
    ...parts,
  };
}

describe('capabilities', () => {
  it('name what Media Source Extensions take, as the node calls it', async () => {
    const chromium = await detect(browser(['avc1', 'av01', 'vp09', 'mp4a', 'fLaC', 'Opus']));
    expect(chromium).toEqual({
      video: 'h264,av1,vp9',
      audio: 'aac,flac,opus',
      hdr: false,
      channels: 2,
      height: 1080,
    });
    const safari = await detect(browser(['avc1', 'hvc1', 'mp4a', 'ac-3', 'ec-3', 'mp3']));
    expect([safari.video, safari.audio]).toEqual(['h264,hevc', 'aac,mp3,ac3,eac3']);
  });

  it('count HEVC only with ten bits, in which most of it comes', async () => {
    expect((await detect(browser(['avc1', 'hvc1.1']))).video).toBe('h264');
  });

  it('leave out what would stutter, but never H.264', async () => {
    const slow = browser(['avc1', 'av01', 'mp4a'], { decodingInfo: async () => ({ supported: true, smooth: false }) });
    expect((await detect(slow)).video).toBe('h264');
  });

  it('believe the first answer where the second cannot be had', async () => {
    const strange = browser(['avc1', 'hvc1', 'mp4a'], { decodingInfo: () => Promise.reject(new TypeError('what?')) });
    expect((await detect(strange)).video).toBe('h264,hevc');
    expect((await detect(browser(['avc1', 'vp09'], { decodingInfo: undefined }))).video).toBe('h264,vp9');
  });

  it('say what every browser plays where it cannot be asked', async () => {
    const old = await detect(browser([], { isTypeSupported: undefined, channels: () => null }));
    expect([old.video, old.audio, old.channels]).toEqual(['h264', 'aac', 2]);
  });

  it('carry the screen and the sound output', async () => {
    const cinema = browser(['avc1'], {
      matches: (query) => query === '(dynamic-range: high)',
      channels: () => 32,
      screen: { width: 1920, height: 1080 },
      pixelRatio: 2,
    });
    expect(await detect(cinema)).toMatchObject({ hdr: true, channels: 8, height: 2160 });
    expect((await detect(browser([], { channels: () => 6 }))).channels).toBe(6);
    expect((await detect(browser([], { channels: () => 4 }))).channels).toBe(2);
  });

  it.each([
    [{ width: 360, height: 780 }, 2, 720],
    [{ width: 390, height: 844 }, 3, 1080],
    [{ width: 1440, height: 900 }, 1, 1080],
    [{ width: 1728, height: 1117 }, 2, 2160],
    [{ width: 2560, height: 1440 }, 1, 1440],
    [{ width: 3840, height: 2160 }, 1, 2160],
    [{ width: 10, height: 10 }, 1, 720],
  ])('take a screen of %o at %d for one of %d lines', (screen, ratio, height) => {
    expect(usefulHeight(screen, ratio)).toBe(height);
  });
});

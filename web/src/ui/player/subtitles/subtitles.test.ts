import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SubtitleTrack } from '../../../api/types';
import { Subtitles } from './subtitles.svelte';

const opened: string[] = [];
const closed: string[] = [];

vi.mock('../../../api/client', () => ({ ApiError: class extends Error {}, api: { subtitles: async () => answer } }));
vi.mock('./text', () => ({
  TextTrack: class {
    path = '';
    async open(path: string) {
      this.path = path;
      opened.push(path);
      if (path.includes('broken')) throw new Error('no');
    }
    close() {
      closed.push(this.path);
    }
  },
}));
vi.mock('./styled', () => ({
  StyledTrack: class {
    async open(path: string, fonts: string[]) {
      opened.push(`${path} with ${fonts.join()}`);
    }
    close() {}
  },
}));

const track = (id: string, more: Partial<SubtitleTrack>): SubtitleTrack => ({
  id,
  format: 'text',
  language: 'eng',
  default: false,
  forced: false,
  vtt: `/${id}.vtt`,
  ...more,
});
const answer = {
  tracks: [
    track('s2', {}),
    track('s3', { format: 'ass', ass: '/s3.ass' }),
    track('s4', { format: 'picture', burn: 4, vtt: null }),
    track('x0', { vtt: '/broken.vtt', language: 'ger' }),
  ],
  fonts: [{ name: 'Serif', url: '/attachments/9' }],
};
const burn = vi.fn();
const video = {} as HTMLVideoElement;

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: kept.set.bind(kept) });
  vi.stubGlobal('navigator', {});
  opened.length = closed.length = 0;
  burn.mockClear();
});

describe('subtitles', () => {
  it('are shown in the language that was chosen in an earlier film', async () => {
    const first = new Subtitles(video, 'i', burn);
    await first.load('eng');
    expect([first.now, opened]).toEqual([null, []]);
    await first.choose('s2');
    first.close();
    const second = new Subtitles(video, 'i', burn);
    await second.load('eng');
    expect(second.now).toBe('s2');
    await second.choose(null);
    expect([second.now, closed]).toEqual([null, ['/s2.vtt', '/s2.vtt']]);
  });

  it('are drawn with the fonts of the file where they have styles', async () => {
    const subtitles = new Subtitles(video, 'i', burn);
    await subtitles.load(null);
    await subtitles.choose('s3');
    expect(opened).toEqual(['/s3.ass with /attachments/9']);
    expect(subtitles.loading).toBe(false);
  });

  it('that are pictures are drawn by the node, until others are chosen', async () => {
    const subtitles = new Subtitles(video, 'i', burn);
    await subtitles.load(null);
    await subtitles.choose('s4');
    expect(burn).toHaveBeenLastCalledWith(4);
    await subtitles.choose('s2');
    expect(burn).toHaveBeenLastCalledWith(null);
    expect(opened).toEqual(['/s2.vtt']);
  });

  it('that cannot be had say so, and the film plays on', async () => {
    const subtitles = new Subtitles(video, 'i', burn);
    await subtitles.load(null);
    await subtitles.choose('x0');
    expect([subtitles.loading, subtitles.problem === null]).toEqual([false, false]);
    await subtitles.choose('s2');
    expect(subtitles.problem).toBeNull();
  });
});

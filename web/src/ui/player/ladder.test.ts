import { beforeEach, describe, expect, it, vi } from 'vitest';
import type Hls from 'hls.js';
import type { Events, Fragment } from 'hls.js';
import { Ladder } from './ladder.svelte';

const NAMES = { MANIFEST_PARSED: 'parsed', LEVELS_UPDATED: 'updated', LEVEL_SWITCHED: 'switched' };
const level = (id: string, height: number, bitrate: number, codecSet: string) => ({
  uri: `/api/v1/items/i/hls/${id}/index.m3u8`,
  width: Math.round((height * 16) / 9),
  height,
  bitrate,
  codecSet,
  _attrs: [{ 'VIDEO-RANGE': id === 'v0' ? 'PQ' : 'SDR' }],
});

/** As much of hls.js as the ladder touches. */
function player() {
  const handlers = new Map<string, (event: string, data: unknown) => void>();
  const hls = {
    levels: [
      level('v0-480', 480, 1.4e6, 'avc3,mp4a'),
      level('v0-1080', 1080, 6e6, 'avc3,mp4a'),
      level('v0', 2160, 40e6, 'hvc1,mp4a'),
    ],
    media: { paused: false, currentTime: 100 },
    loadLevel: -1,
    nextLevel: -1,
    autoLevelCapping: -1,
    bandwidthEstimate: 9e6,
    startLoad: vi.fn(),
    on: (name: string, handler: (event: string, data: unknown) => void) => handlers.set(name, handler),
  };
  const tell = (name: string, data?: unknown) => handlers.get(name)?.(name, data);
  return { hls, tell };
}

const frag = (sn: number, making: number) =>
  ({ type: 'main', sn, level: 1, duration: 4, stats: { making } }) as unknown as Fragment;

beforeEach(() => {
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: kept.set.bind(kept) };
  vi.stubGlobal('localStorage', storage);
  vi.stubGlobal('navigator', {});
});

function attached(prepare = vi.fn(async () => {})) {
  const { hls, tell } = player();
  const ladder = new Ladder(prepare);
  ladder.attach(hls as unknown as Hls, NAMES as unknown as typeof Events, 30);
  tell('parsed');
  return { ladder, hls, tell, prepare };
}

describe('the ladder', () => {
  it('begins to load once it knows the rungs, all of one family', () => {
    const { ladder, hls } = attached();
    expect(hls.startLoad).toHaveBeenCalledWith(30);
    expect(ladder.rungs.map(({ rendition }) => rendition)).toEqual(['v0', 'v0-1080', 'v0-480']);
    expect(new Set(hls.levels.map(({ codecSet }) => codecSet)).size).toBe(1);
    expect(new Set(hls.levels.map(({ _attrs }) => _attrs[0]!['VIDEO-RANGE'])).size).toBe(1);
  });

  it('has a rung made before it is switched to, and the original at once', async () => {
    const { ladder, hls, prepare } = attached();
    ladder.choose(1080);
    expect(hls.nextLevel).toBe(-1);
    await vi.waitFor(() => expect(hls.nextLevel).toBe(1));
    expect(prepare).toHaveBeenCalledWith('v0-1080', 106, expect.any(AbortSignal));
    ladder.choose('original');
    expect(hls.nextLevel).toBe(2);
    ladder.choose('auto');
    expect(hls.loadLevel).toBe(-1);
  });

  it('forgets a choice that was followed by another', async () => {
    const answers: (() => void)[] = [];
    const { ladder, hls } = attached(vi.fn(() => new Promise<void>((resolve) => answers.push(resolve))));
    ladder.choose(480);
    ladder.choose('auto');
    answers[0]!();
    await Promise.resolve();
    await Promise.resolve();
    expect(hls.nextLevel).toBe(-1);
  });

  it('remembers the choice for the next film', () => {
    attached().ladder.choose(480);
    expect(attached().hls.loadLevel).toBe(0);
  });

  it('goes below a rung that the node cannot keep up with, only by itself', () => {
    const { ladder, hls } = attached();
    for (const sn of [7, 8, 9]) ladder.buffered(frag(sn, 5000));
    expect([ladder.slow, hls.autoLevelCapping]).toEqual([1, 0]);
    expect(ladder.bandwidth).toBe(9e6);
    const other = attached();
    other.ladder.choose(1080);
    for (const sn of [7, 8, 9]) other.ladder.buffered(frag(sn, 5000));
    expect(other.ladder.slow).toBeNull();
  });

  it('asks a node for more than 1080 lines only once it has shown that it has power to spare', () => {
    const { ladder, hls, tell } = attached();
    hls.levels[2] = level('v0-2160', 2160, 16e6, 'avc3,mp4a');
    tell('updated');
    expect(hls.autoLevelCapping).toBe(1);
    for (const making of [10, 1500]) ladder.buffered(frag(1, making));
    expect(hls.autoLevelCapping).toBe(1);
    ladder.buffered(frag(2, 700));
    expect(hls.autoLevelCapping).toBe(-1);
  });

  it('saves data when asked to', () => {
    const { ladder, hls } = attached();
    ladder.save(true);
    expect(hls.autoLevelCapping).toBe(0);
    ladder.save(false);
    expect(hls.autoLevelCapping).toBe(-1);
  });
});

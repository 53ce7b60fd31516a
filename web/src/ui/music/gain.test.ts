import { expect, it } from 'vitest';
import { factorOf, keepLoudness, keptLoudness } from './gain.ts';

const told = { track_gain: -6, track_peak: 0.9, album_gain: -12, album_peak: 1 };

it('a track is played as its album or by itself', () => {
  expect(factorOf(told, { mode: 'album', preamp: 0 })).toBeCloseTo(0.251, 3);
  expect(factorOf(told, { mode: 'track', preamp: 0 })).toBeCloseTo(0.501, 3);
  expect(factorOf(told, { mode: 'track', preamp: 6 })).toBeCloseTo(1, 3);
  expect(factorOf(told, { mode: 'off', preamp: 6 })).toBe(1);
});

it('what is known of one stands in for the other', () => {
  expect(factorOf({ track_gain: -6 }, { mode: 'album', preamp: 0 })).toBeCloseTo(0.501, 3);
  expect(factorOf({ album_gain: -6 }, { mode: 'track', preamp: 0 })).toBeCloseTo(0.501, 3);
  expect(factorOf({ track_peak: 0.5 }, { mode: 'track', preamp: 6 })).toBe(1);
  expect(factorOf(undefined, { mode: 'track', preamp: 6 })).toBe(1);
});

it('no sample is driven over full scale', () => {
  expect(factorOf({ track_gain: 12, track_peak: 0.5 }, { mode: 'track', preamp: 0 })).toBe(2);
  expect(factorOf({ track_gain: 12 }, { mode: 'track', preamp: 0 })).toBe(1);
  expect(factorOf({ track_gain: 12, track_peak: 0 }, { mode: 'track', preamp: 0 })).toBe(1);
  expect(factorOf({ track_gain: -3, track_peak: 1.6 }, { mode: 'track', preamp: 0 })).toBeCloseTo(0.625, 3);
});

it('what was chosen is kept, and nonsense is not', () => {
  const store = new Map<string, string>();
  const storage = {
    getItem: (k: string) => store.get(k) ?? null,
    setItem: (k: string, v: string) => void store.set(k, v),
  };
  expect(keptLoudness(storage)).toEqual({ mode: 'album', preamp: 0 });
  keepLoudness({ mode: 'track', preamp: -3 }, storage);
  expect(keptLoudness(storage)).toEqual({ mode: 'track', preamp: -3 });
  for (const bad of ['{', '{"mode":"loud","preamp":1e9}', '{"preamp":"x"}', '[]']) {
    store.set('potluck.loudness', bad);
    expect(keptLoudness(storage)).toEqual({ mode: 'album', preamp: 0 });
  }
});

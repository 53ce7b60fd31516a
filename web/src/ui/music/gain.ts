/** How loud a track is played: ReplayGain as its tags say, and what a person chose. */
import type { ReplayGain } from '../../api/types';

export type GainMode = 'album' | 'track' | 'off';

export interface Loudness {
  mode: GainMode;
  /** Decibels, on top of what the tags say. */
  preamp: number;
}

export const GAIN_MODES: readonly GainMode[] = ['album', 'track', 'off'];
/** Decibels in either direction. */
export const PREAMP_MAX = 12;
export const PLAIN: Loudness = { mode: 'album', preamp: 0 };

const KEY = 'potluck.loudness';

/**
 * By how much samples are multiplied. Where the tags say nothing of the whole album, what they say of the track counts, and the
 * other way round. The loudest sample stays within full scale; where nobody knows it, nothing is made louder than it is.
 */
export function factorOf(gain: ReplayGain | null | undefined, { mode, preamp }: Loudness): number {
  if (mode === 'off' || !gain) return 1;
  const album = { gain: gain.album_gain, peak: gain.album_peak };
  const track = { gain: gain.track_gain, peak: gain.track_peak };
  const [wanted, other] = mode === 'album' ? [album, track] : [track, album];
  const { gain: decibels, peak } = wanted.gain == null ? other : wanted;
  if (decibels == null) return 1;
  const factor = 10 ** ((decibels + preamp) / 20);
  return Math.min(factor, peak != null && peak > 0 ? 1 / peak : 1);
}

type Store = Pick<Storage, 'getItem' | 'setItem'>;

export function keepLoudness(loudness: Loudness, store: Store = localStorage): void {
  try {
    store.setItem(KEY, JSON.stringify(loudness));
  } catch {
    // A full or forbidden storage forgets.
  }
}

export function keptLoudness(store: Store = localStorage): Loudness {
  try {
    const value = JSON.parse(store.getItem(KEY) ?? 'null') as Partial<Loudness> | null;
    const mode = GAIN_MODES.find((one) => one === value?.mode) ?? PLAIN.mode;
    const preamp = Number(value?.preamp ?? 0);
    return { mode, preamp: Math.abs(preamp) <= PREAMP_MAX ? preamp : 0 };
  } catch {
    return PLAIN;
  }
}

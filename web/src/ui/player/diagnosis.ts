/**
 * `window.__potluck` on the player page: what browser tests and a person with the console open look at. Read-only by
 * intent; its shape is described in docs/develop.md.
 */
import type Hls from 'hls.js';
import type { Playback } from './playback.svelte';
import type { Subtitles } from './subtitles/subtitles.svelte';
import type { SupplyStats } from '../supply/meter';
import type { Supply } from './supply';

export interface Diagnosis {
  /** Bytes and blocks so far, by source; empty where the browser plays by itself. */
  stats: () => SupplyStats;
  readonly hls: Hls | null;
  readonly video: HTMLVideoElement;
  readonly supply: Supply | null;
  readonly playback: Playback;
  readonly subtitles: Subtitles;
}

declare global {
  interface Window {
    __potluck?: Diagnosis;
  }
}

/** Shows it until the returned function is called. */
export function expose(playback: Playback, subtitles: Subtitles, supply: Supply | null): () => void {
  const diagnosis: Diagnosis = {
    stats: () =>
      supply?.stats() ?? { bytes: {}, friends: {}, rates: {}, blocks: 0, blocks_verified: 0, blocks_failed: 0 },
    get hls() {
      return playback.hls;
    },
    video: playback.video,
    supply,
    playback,
    subtitles,
  };
  window.__potluck = diagnosis;
  return () => {
    if (window.__potluck === diagnosis) delete window.__potluck;
  };
}

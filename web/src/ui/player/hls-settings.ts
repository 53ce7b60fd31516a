/** How hls.js is set up here, and what of its judgement is corrected. */
import type Hls from 'hls.js';
import type { HlsConfig, Level, LoadPolicy } from 'hls.js';
import { preference } from './preferences';
import type { Supply } from './supply';

/** Bits a second before anything was measured: most nodes are in the same house. */
const FIRST_GUESS = 20_000_000;
/** A playlist may wait for the file to be read through once. */
const PLAYLIST_MS = 90_000;
/** Of one step of a load; our loader tries again by itself, see `exchange/patience.ts`. */
const SEGMENT_MS = 120_000;

export function settings(start: number, supply: Supply | null): Partial<HlsConfig> {
  const none = undefined as never;
  return {
    startPosition: start > 0 ? start : -1,
    // Rungs are looked at before loading begins: see `tune`.
    autoStartLoad: false,
    // CMAF is passed through as it is: there is nothing for a worker to transmux.
    enableWorker: false,
    maxBufferLength: 40,
    // Enough to ride out a bad minute; more would be fetched in vain by whoever stops watching.
    maxMaxBufferLength: 60,
    backBufferLength: 60,
    // A test would have the lowest rung transcoded to look at it once.
    testBandwidth: false,
    abrEwmaDefaultEstimate: preference('bandwidth') ?? FIRST_GUESS,
    // The node was told what this browser plays, and offers nothing else.
    useMediaCapabilities: false,
    errorPenaltyExpireMs: 60_000,
    fragLoadPolicy: policy(SEGMENT_MS, 2),
    playlistLoadPolicy: policy(PLAYLIST_MS, 4),
    manifestLoadPolicy: policy(PLAYLIST_MS, 4),
    // The page shows subtitles itself: one way for text, styled text and pictures.
    subtitleTrackController: none,
    subtitleStreamController: none,
    timelineController: none,
    ...(supply ? { fLoader: supply.loader } : {}),
  };
}

export function policy(longestMs: number, tries: number): LoadPolicy {
  const errorRetry = { maxNumRetry: tries, retryDelayMs: 500, maxRetryDelayMs: 8000 };
  const timeoutRetry = { maxNumRetry: 2, retryDelayMs: 0, maxRetryDelayMs: 0 };
  return { default: { maxTimeToFirstByteMs: longestMs, maxLoadTimeMs: longestMs, errorRetry, timeoutRetry } };
}

/**
 * hls.js never changes the family of codecs or the dynamic range by itself. Here they differ between the original and
 * the rungs under it (`hvc1` in PQ above `avc3` in SDR), and a switch is better than a stall.
 */
export function levelOut(levels: readonly Level[]): void {
  const [first] = levels;
  for (const level of first ? levels : []) {
    Object.assign(level, { codecSet: first!.codecSet });
    for (const attributes of level._attrs) attributes['VIDEO-RANGE'] = 'SDR';
  }
}

/** Milliseconds that the node needed to make a segment; our loader notes them. */
export function makingTime(stats: unknown): number {
  return (stats as { making?: number }).making ?? 0;
}

/** Where the next film begins to measure. */
export function estimate(hls: Hls): number | null {
  const bits = hls.bandwidthEstimate;
  return Number.isFinite(bits) && bits > 0 ? bits : null;
}

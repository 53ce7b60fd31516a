/**
 * A track as a film is played: hls.js loads its segments through the planner, as verified blocks, from whoever holds them. It begins
 * anywhere at once, and only a stretch around the place that is heard is in memory, however long the track is.
 */
import type Hls from 'hls.js';
import type { HlsConfig } from 'hls.js';
import { address, api, queryString } from '../../api/client';
import type { ItemDetail } from '../../api/types';
import type { Exchange, Segment } from '../../exchange';
import { capabilities } from '../../exchange/capabilities';
import type { Place } from '../../exchange/hls-loader';
import { policy } from '../player/hls-settings';
import { bare, wantsBare } from './bare';
import type { Feed } from './stream';

/** An element that waits this long for what it shall play hangs. The first playlist may wait for the file to be read through. */
export const HANG_MS = 15_000;
/** Seconds that are had ahead in any case; more of them, up to the second number, while they are few bytes. */
const AHEAD_SECONDS = 30;
const AHEAD_SECONDS_MAX = 180;
/** Browsers hold as little as 12 MB of sound, of what was heard and what comes. */
const AHEAD_BYTES = 6 * 1024 * 1024;
const BEHIND_SECONDS = 15;

/** What it is built of; loaded when it is wanted. */
export interface Parts {
  Hls: typeof Hls;
  loader: NonNullable<HlsConfig['fLoader']>;
  segments: Exchange['segments'];
  segmentOf: (url: string) => Place | undefined;
  /** Address of the playlist. */
  playlist: string;
}

export interface SegmentedEvents {
  /** A segment is there. */
  came: (segment: Segment) => void;
  /** It cannot be had this way. */
  failed: () => void;
}

export class Segmented implements Feed {
  readonly base = 0;
  private hls: Hls | null = null;
  private unwatch = () => {};
  private turn = 0;
  private made = false;

  constructor(
    private readonly item: string,
    private readonly load: () => Promise<Parts>,
    private readonly events: SegmentedEvents,
  ) {}

  attach(sound: HTMLAudioElement, from: number): Promise<void> {
    this.detach();
    const { turn } = this;
    return new Promise((resolve) => {
      const fail = () => {
        if (turn === this.turn) this.events.failed();
        resolve();
      };
      const watch = watchFor(sound, HANG_MS, fail);
      this.unwatch = watch.stop;
      this.load()
        .then((parts) => {
          if (turn !== this.turn) return;
          this.begin(parts, sound, from, { fail, look: watch.look });
          resolve();
        })
        .catch(fail);
    });
  }

  /** Before it knows what there is, it has to be told anew where to begin. */
  reaches({ readyState }: HTMLAudioElement): boolean {
    return readyState > HTMLMediaElement.HAVE_NOTHING;
  }

  detach(): void {
    this.turn += 1;
    this.unwatch();
    this.hls?.destroy();
    this.hls = null;
    // What is encoded for this page alone may stop.
    if (this.made) api.stopped(this.item).catch(() => {});
    this.made = false;
  }

  private begin(
    parts: Parts,
    sound: HTMLAudioElement,
    from: number,
    { fail, look }: { fail: () => void; look: () => void },
  ): void {
    const { Hls, loader, playlist } = parts;
    if (!Hls.isSupported()) return fail();
    const { turn } = this;
    const hls = new Hls(settings(from, loader));
    this.hls = hls;
    hls.on(Hls.Events.FRAG_BUFFERED, (_event, { frag }) => {
      look();
      if (typeof frag.sn === 'number') void this.tell(parts, frag.url, turn);
    });
    hls.on(Hls.Events.ERROR, (_event, { fatal }) => {
      if (fatal) fail();
    });
    hls.loadSource(playlist);
    hls.attachMedia(sound);
  }

  private async tell({ segments, segmentOf }: Parts, url: string, turn: number): Promise<void> {
    const place = segmentOf(url);
    if (!place || place.n === 'init') return;
    const segment = await segments.segment(place.item, place.rendition, place.n).catch(() => null);
    if (!segment || turn !== this.turn) return;
    this.made = segment.encoder !== 'copy';
    this.events.came(segment);
  }
}

/** What hls.js and the node need to play a track here. */
export async function partsOf(item: ItemDetail, exchange: Exchange): Promise<Parts> {
  const [{ default: Hls }, { createLoader, segmentOf }] = await Promise.all([
    import('hls.js'),
    import('../../exchange/hls-loader'),
  ]);
  const told = await capabilities();
  const isBare = item.streams.some(({ codec }) => codec === 'mp3') && wantsBare(takes);
  const client = isBare ? { ...told, audio: `${told.audio},mp3` } : told;
  exchange.segments.setQuery(item.id, queryString(client).slice(1));
  const plain = createLoader(exchange) as Parts['loader'];
  const loader = isBare ? bare(plain) : plain;
  return { Hls, loader, segments: exchange.segments, segmentOf, playlist: address.playlist(item.id, client) };
}

/** What the media source of this browser says of a type; the one of phones, where they have another. */
function takes(type: string): boolean {
  const { ManagedMediaSource } = globalThis as { ManagedMediaSource?: typeof MediaSource };
  const source = ManagedMediaSource ?? (typeof MediaSource === 'undefined' ? null : MediaSource);
  return source?.isTypeSupported(type) ?? false;
}

function settings(from: number, loader: Parts['loader']): Partial<HlsConfig> {
  const none = undefined as never;
  // The loader tries again by itself, and where it gives up there is another way.
  const once = policy(HANG_MS, 0);
  return {
    startPosition: from > 0 ? from : -1,
    enableWorker: false,
    maxBufferLength: AHEAD_SECONDS,
    maxBufferSize: AHEAD_BYTES,
    maxMaxBufferLength: AHEAD_SECONDS_MAX,
    backBufferLength: BEHIND_SECONDS,
    // The node was told what this browser plays, and offers nothing else.
    useMediaCapabilities: false,
    fragLoadPolicy: once,
    playlistLoadPolicy: once,
    manifestLoadPolicy: once,
    subtitleTrackController: none,
    subtitleStreamController: none,
    timelineController: none,
    fLoader: loader,
    pLoader: loader as unknown as NonNullable<HlsConfig['pLoader']>,
  };
}

/** Calls `hangs` when an element waits for sound for so long, and no `look` says that some came. */
export function watchFor(
  sound: HTMLAudioElement,
  ms: number,
  hangs: () => void,
): { look: () => void; stop: () => void } {
  const listening = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(timer);
    const hungry = sound.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !sound.ended;
    if (hungry && !listening.signal.aborted) timer = setTimeout(hangs, ms);
  };
  for (const name of ['waiting', 'seeking', 'seeked', 'canplay', 'ended'])
    sound.addEventListener(name, look, { signal: listening.signal });
  look();
  const stop = () => {
    listening.abort();
    clearTimeout(timer);
  };
  return { look, stop };
}

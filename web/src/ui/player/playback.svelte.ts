/**
 * One film being played: hls.js, the video element, and what of them the controls show. Owns both from `open` to
 * `close`; knows nothing of buttons.
 */
import type Hls from 'hls.js';
import type { ErrorData, Events, FragBufferedData, HlsConfig } from 'hls.js';
import { address } from '../../api/client';
import type { Supply } from './supply';
import { ahead, paint, type Piece } from './timeline';

export interface Track {
  id: number;
  name: string | null;
  language: string | null;
}

const VOLUME_KEY = 'potluck.volume';
/** A fatal network error is tried again this often before it is shown. */
const RETRIES = 3;

export class Playback {
  position = $state(0);
  duration = $state(0);
  paused = $state(true);
  waiting = $state(true);
  ended = $state(false);
  seeking = $state(false);
  muted = $state(false);
  volume = $state(1);
  /** What was fetched and by whom; only what is still buffered. */
  painted: Piece[] = $state.raw([]);
  ahead = $state(0);
  audio: Track[] = $state.raw([]);
  audioNow = $state(-1);
  subtitles: Track[] = $state.raw([]);
  subtitlesNow = $state(-1);
  failure: { message: string; detail: string } | null = $state.raw(null);
  /** CID of the video segment under the play head. */
  segment: string | null = $state(null);
  /** The browser plays the playlist by itself. */
  plain = $state(false);

  hls: Hls | null = null;
  private pieces: (Piece & { cid: string | null })[] = [];
  private retries = 0;
  private closed = false;

  constructor(
    readonly video: HTMLVideoElement,
    private readonly item: string,
    private readonly supply: Supply | null,
  ) {
    const kept = Number(localStorage.getItem(VOLUME_KEY) ?? 1);
    video.volume = kept >= 0 && kept <= 1 ? kept : 1;
    this.volume = video.volume;
    this.follow();
  }

  async open(start: number): Promise<void> {
    const { default: Hls } = await import('hls.js');
    if (this.closed) return;
    const url = address.playlist(this.item);
    if (!Hls.isSupported()) {
      this.plain = true;
      this.video.src = url;
      this.video.currentTime = start;
    } else {
      const hls = new Hls(this.settings(start));
      this.hls = hls;
      this.watch(hls, Hls.Events);
      hls.loadSource(url);
      hls.attachMedia(this.video);
    }
    await this.play();
  }

  /** Refused by the browser without a click before: the film then waits, paused. */
  async play(): Promise<void> {
    await this.video.play().catch(() => {});
  }

  toggle(): void {
    if (this.video.paused) void this.play();
    else this.video.pause();
  }

  seek(to: number): void {
    const last = Number.isFinite(this.video.duration) ? this.video.duration : to;
    this.video.currentTime = Math.min(Math.max(0, to), Math.max(0, last - 0.1));
    this.position = this.video.currentTime;
  }

  setVolume(volume: number): void {
    this.video.volume = Math.min(1, Math.max(0, volume));
    this.video.muted = this.video.volume === 0;
    localStorage.setItem(VOLUME_KEY, String(this.video.volume));
  }

  mute(): void {
    this.video.muted = !this.video.muted;
    if (!this.video.muted && this.video.volume === 0) this.setVolume(0.5);
  }

  chooseAudio(id: number): void {
    if (this.hls) this.hls.audioTrack = id;
    this.audioNow = id;
  }

  /** -1 for none. */
  chooseSubtitles(id: number): void {
    if (this.hls) this.hls.subtitleTrack = id;
    this.subtitlesNow = id;
  }

  retry(): void {
    this.failure = null;
    this.retries = 0;
    const at = this.position;
    this.hls?.destroy();
    this.hls = null;
    void this.open(at);
  }

  droppedFrames(): { dropped: number; total: number } {
    const quality = this.video.getVideoPlaybackQuality();
    return { dropped: quality.droppedVideoFrames, total: quality.totalVideoFrames };
  }

  close(): void {
    this.closed = true;
    this.hls?.destroy();
    this.hls = null;
    this.video.removeAttribute('src');
    this.video.load();
  }

  private settings(start: number): Partial<HlsConfig> {
    return {
      startPosition: start > 0 ? start : -1,
      // CMAF is passed through as it is: there is nothing for a worker to transmux.
      enableWorker: false,
      maxBufferLength: 40,
      // Enough to ride out a bad minute; more would be fetched in vain by whoever stops watching.
      maxMaxBufferLength: 60,
      backBufferLength: 60,
      ...(this.supply ? { fLoader: this.supply.loader } : {}),
    };
  }

  private watch(hls: Hls, events: typeof Events): void {
    hls.on(events.FRAG_BUFFERED, (_event, { frag }: FragBufferedData) => {
      this.retries = 0;
      if (frag.type === 'main' && frag.sn !== 'initSegment') void this.remember(frag);
    });
    hls.on(events.AUDIO_TRACKS_UPDATED, () => (this.audio = hls.audioTracks.map(asTrack)));
    hls.on(events.AUDIO_TRACK_SWITCHED, () => (this.audioNow = hls.audioTrack));
    hls.on(events.SUBTITLE_TRACKS_UPDATED, () => (this.subtitles = hls.subtitleTracks.map(asTrack)));
    hls.on(events.SUBTITLE_TRACK_SWITCH, () => (this.subtitlesNow = hls.subtitleTrack));
    hls.on(events.ERROR, (_event, data) => this.onError(hls, data));
  }

  private async remember({ url, start, end }: { url: string; start: number; end: number }): Promise<void> {
    const unknown = { source: 'unknown' as const, cid: null };
    const { source, cid } = (await this.supply?.describe(url).catch(() => unknown)) ?? unknown;
    this.pieces = this.pieces.filter((piece) => piece.start !== start);
    this.pieces.push({ start, end, source, cid });
    this.look();
  }

  private onError(hls: Hls, data: ErrorData): void {
    if (!data.fatal) return;
    this.retries += 1;
    if (this.retries <= RETRIES && data.type === 'networkError' && data.details !== 'manifestLoadError')
      hls.startLoad();
    else if (this.retries <= RETRIES && data.type === 'mediaError') hls.recoverMediaError();
    else {
      const status = data.response?.code ? ` (${data.response.code})` : '';
      this.failure = {
        message: data.error?.message ?? data.details,
        detail: `${data.type} ${data.details}${status}\n${data.url ?? data.frag?.url ?? ''}\n${data.error?.message ?? ''}\n${new Date().toISOString()}`,
      };
      this.video.pause();
    }
  }

  /** The element's own events are the truth; the fields above only mirror it. */
  private follow(): void {
    const { video } = this;
    const mirror = () => {
      this.paused = video.paused;
      this.ended = video.ended;
      this.seeking = video.seeking;
      this.muted = video.muted;
      this.volume = video.volume;
      this.duration = Number.isFinite(video.duration) ? video.duration : this.duration;
      this.waiting = !video.ended && !video.paused && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
      this.look();
    };
    for (const name of [
      'play',
      'playing',
      'pause',
      'ended',
      'seeking',
      'seeked',
      'waiting',
      'canplay',
      'volumechange',
      'durationchange',
      'loadedmetadata',
      'progress',
      'timeupdate',
    ])
      video.addEventListener(name, mirror);
    video.addEventListener('error', () => {
      if (!this.plain || this.closed) return;
      this.failure = { message: video.error?.message ?? '', detail: `${video.error?.code} ${video.error?.message}` };
    });
  }

  private look(): void {
    const { video } = this;
    const buffered = Array.from(
      { length: video.buffered.length },
      (_, i) => [video.buffered.start(i), video.buffered.end(i)] as const,
    );
    this.position = video.currentTime;
    this.painted = paint(buffered, this.pieces);
    this.ahead = ahead(buffered, video.currentTime);
    this.segment =
      this.pieces.findLast((piece) => piece.start <= video.currentTime + 0.05 && video.currentTime < piece.end)?.cid ??
      this.segment;
  }
}

function asTrack(track: { id: number; name?: string; lang?: string }): Track {
  return { id: track.id, name: track.name || null, language: track.lang || null };
}

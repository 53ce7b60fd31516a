/**
 * One film being played: hls.js, the video element, and what of them the controls show. Owns both from `open` to
 * `close`; knows nothing of buttons.
 */
import type Hls from 'hls.js';
import type { ErrorData, Events, FragBufferedData, Fragment, MediaPlaylist } from 'hls.js';
import { address } from '../../api/client';
import type { Capabilities, PlaybackDecision, Rendition } from '../../api/types';
import type { Wait } from '../../exchange';
import { settings } from './hls-settings';
import { Ladder } from './ladder.svelte';
import { prefer, preference } from './preferences';
import { renditionOf } from './quality';
import { sameLanguage } from './subtitles/choice';
import type { Described, Supply } from './supply';
import { ahead, paint, type Piece } from './timeline';

export interface Track {
  id: number;
  name: string | null;
  language: string | null;
  channels: number | null;
  /** Id of the rendition that is its sound. */
  rendition: string | null;
}

const VOLUME_KEY = 'potluck.volume';
/** A fatal network error is tried again this often before it is shown. */
const RETRIES = 3;

type Remembered = Piece & { cid: string | null; encoder: string | null };

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
  failure: { message: string; detail: string } | null = $state.raw(null);
  /** CID of the video segment under the play head. */
  segment: string | null = $state(null);
  /** Who encoded it. */
  encoder: string | null = $state(null);
  /** Who encoded the sound that came last. */
  soundEncoder: string | null = $state(null);
  /** The browser plays the playlist by itself. */
  plain = $state(false);
  /** How the node plays it to this client now, and all forms it offers. */
  decision: PlaybackDecision | null = $state.raw(null);
  renditions: Rendition[] = $state.raw([]);
  waits: Wait[] = $state.raw([]);
  /** Index of the picture subtitle stream that is drawn into the film. */
  burnt: number | null = $state(null);
  /** The last picture, shown while the film is opened anew at the same place. */
  still: HTMLCanvasElement | null = $state.raw(null);

  readonly ladder: Ladder;
  hls: Hls | null = null;
  private pieces: Remembered[] = [];
  private retries = 0;
  private closed = false;
  /** The place that is kept while the film is opened anew. */
  private held: number | null = null;
  private readonly unfollow: () => void;

  constructor(
    readonly video: HTMLVideoElement,
    private readonly item: string,
    private readonly client: Capabilities,
    private readonly supply: Supply | null,
  ) {
    const kept = Number(localStorage.getItem(VOLUME_KEY) ?? 1);
    video.volume = kept >= 0 && kept <= 1 ? kept : 1;
    this.volume = video.volume;
    this.ladder = new Ladder(async (rendition, time, signal) => supply?.prepare(item, rendition, time, signal));
    this.follow();
    const own = (waits: Wait[]) => (this.waits = waits.filter(({ place }) => place.item === item));
    this.unfollow = supply?.onWaits(own) ?? (() => {});
  }

  async open(start: number, paused = false): Promise<void> {
    const { default: Hls } = await import('hls.js');
    if (this.closed) return;
    const client = this.burnt === null ? this.client : { ...this.client, burn: this.burnt };
    const url = address.playlist(this.item, client);
    this.supply?.serve(this.item, client);
    if (!Hls.isSupported()) {
      this.plain = true;
      this.video.src = url;
      this.video.currentTime = start;
    } else {
      const hls = new Hls(settings(start, this.supply));
      this.hls = hls;
      this.watch(hls, Hls.Events);
      this.expectFirst(hls, Hls.Events, start);
      this.ladder.attach(hls, Hls.Events, start);
      hls.loadSource(url);
      hls.attachMedia(this.video);
    }
    if (!paused) await this.play();
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

  /** By hand: its language is preferred from now on. */
  chooseAudio(id: number): void {
    if (this.hls) this.hls.audioTrack = id;
    this.audioNow = id;
    const language = this.audio.find((track) => track.id === id)?.language;
    if (language) prefer('sound', language);
  }

  /** Has a picture subtitle stream drawn into the film, or none: another rendition from the same place on. */
  burn(stream: number | null): void {
    if (this.burnt === stream) return;
    this.burnt = stream;
    this.reopen();
  }

  retry(): void {
    this.failure = null;
    this.retries = 0;
    this.reopen();
  }

  droppedFrames(): { dropped: number; total: number } {
    const quality = this.video.getVideoPlaybackQuality();
    return { dropped: quality.droppedVideoFrames, total: quality.totalVideoFrames };
  }

  /** Asks for nothing more: what is under way is taken back. */
  rest(): void {
    this.hls?.stopLoad();
  }

  /** After `rest`. */
  resume(): void {
    this.hls?.startLoad();
  }

  close(): void {
    this.closed = true;
    this.unfollow();
    this.ladder.leave();
    this.hls?.destroy();
    this.hls = null;
    this.video.removeAttribute('src');
    this.video.load();
  }

  private reopen(): void {
    const at = this.position;
    const paused = this.video.paused && this.failure === null && this.video.readyState > 0;
    this.held = at;
    this.still = pictureOf(this.video);
    this.pieces = [];
    this.hls?.destroy();
    this.hls = null;
    void this.open(at, paused);
  }

  private watch(hls: Hls, events: typeof Events): void {
    hls.on(events.FRAG_BUFFERED, (_event, { frag }: FragBufferedData) => {
      this.retries = 0;
      this.ladder.buffered(frag as Fragment);
      if (frag.sn !== 'initSegment') void this.remember(frag as Fragment);
    });
    hls.on(events.MANIFEST_PARSED, () => void this.ask(hls));
    hls.on(events.AUDIO_TRACKS_UPDATED, () => {
      this.audio = hls.audioTracks.map(asTrack);
      this.preferSound(hls);
    });
    hls.on(events.AUDIO_TRACK_SWITCHED, () => (this.audioNow = hls.audioTrack));
    hls.on(events.ERROR, (_event, data) => this.onError(hls, data));
  }

  /** A transcoded film has two things made before its first picture; they need not wait for each other. */
  private expectFirst(hls: Hls, events: typeof Events, start: number): void {
    hls.once(events.LEVEL_LOADED, (_event, { details }) => {
      const first = details.fragments.find(({ end }) => start < end);
      if (first) this.supply?.expect(first.url);
    });
  }

  private async ask(hls: Hls): Promise<void> {
    const answer = await this.supply?.renditions(this.item).catch(() => null);
    if (!answer || this.hls !== hls) return;
    this.decision = answer.decision;
    this.renditions = answer.renditions;
  }

  /** The language chosen before, where the film has it. */
  private preferSound(hls: Hls): void {
    const language = preference('sound');
    const now = this.audio[hls.audioTrack];
    if (!language || sameLanguage(now?.language, language)) return;
    const better = this.audio.find((track) => sameLanguage(track.language, language));
    if (better) hls.audioTrack = better.id;
  }

  private async remember(frag: Fragment): Promise<void> {
    const unknown: Described = { source: 'unknown', cid: null, encoder: null };
    const { source, cid, encoder } = (await this.supply?.describe(frag.url).catch(() => unknown)) ?? unknown;
    if (frag.type === 'audio') this.soundEncoder = encoder;
    if (frag.type !== 'main') return;
    const { start, end } = frag;
    // A segment of another rung may cover several of these, or a part of one.
    this.pieces = this.pieces.filter((piece) => piece.start < start - 0.01 || piece.end > end + 0.01);
    this.pieces.push({ start, end, source, cid, encoder });
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
      const said = data.response?.text || data.error?.message || data.details;
      this.failure = {
        message: said,
        detail: `${data.type} ${data.details}${status}\n${data.url ?? data.frag?.url ?? ''}\n${said}\n${new Date().toISOString()}`,
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
    if (this.held !== null && Math.abs(video.currentTime - this.held) < 1 && !video.seeking) this.held = null;
    if (this.held === null && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) this.still = null;
    this.position = this.held ?? video.currentTime;
    this.painted = paint(buffered, this.pieces);
    this.ahead = ahead(buffered, video.currentTime);
    const piece = this.pieces.findLast(({ start, end }) => start <= this.position + 0.05 && this.position < end);
    this.segment = piece?.cid ?? this.segment;
    this.encoder = piece?.encoder ?? this.encoder;
  }
}

/** What is seen now; `null` where nothing is. */
function pictureOf(video: HTMLVideoElement): HTMLCanvasElement | null {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) return null;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  return canvas;
}

function asTrack(track: MediaPlaylist): Track {
  return {
    id: track.id,
    name: track.name || null,
    language: track.lang || null,
    channels: Number.parseInt(track.channels ?? '', 10) || null,
    rendition: renditionOf(track.url),
  };
}

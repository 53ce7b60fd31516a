/**
 * The music of the page: one queue, and two decks that take turns so that the next track begins where this one ends. It goes on
 * while one walks through the page, and is kept in this browser.
 */
import { api } from '../../api/client';
import type { ItemDetail } from '../../api/types';
import { t } from '../../strings';
import { toasts } from '../state/toasts.svelte';
import { keepLoudness, keptLoudness, PLAIN, type Loudness } from './gain';
import { keep, keepVolume, kept, keptVolume } from './kept';
import { answer, tellPosition, tellState, tellTrack } from './media-session';
import * as queues from './queue';
import { Pair } from './pair';
import type { Entry, Queue, Track } from './queue';
import { isNews, queueOf, Roaming } from './roaming';
import { Supply, type Origin } from './supply.svelte';

/** The next track is opened this long before the end. */
const PREPARE_SECONDS = 30;
const KEEP_EVERY_SECONDS = 5;
/** Further into a track than this, Previous leads to its beginning. */
const RESTART_SECONDS = 3;
/** Heard counts what was heard by half, or for four minutes. */
const HEARD_SECONDS = 240;

class Music {
  queue: Queue = $state.raw(queues.EMPTY);
  /** Somebody wants to hear it, though bytes may be waited for. */
  playing = $state(false);
  waiting = $state(false);
  /** Seconds. */
  position = $state(0);
  duration = $state(0);
  volume = $state(1);
  muted = $state(false);
  loudness: Loudness = $state.raw(PLAIN);
  /** What the node knows of the track. */
  detail: ItemDetail | null = $state.raw(null);
  /** Where its bytes came from; null while nobody knows. */
  origin: Origin | null = $state.raw(null);
  readonly supply = new Supply();

  readonly entry = $derived(queues.current(this.queue));
  readonly track: Track | null = $derived(this.entry?.track ?? null);

  private account: string | null = null;
  private pair: Pair | null = null;
  private turn = 0;
  private heard = 0;
  private told = false;
  private keptAt = 0;
  /** Tracks in a row that could not be played. */
  private failures = 0;
  private readonly roaming = new Roaming(() => ({ queue: this.queue, position: this.position }));

  /** What this account heard last comes back, silent: here, or elsewhere, if that was later. */
  restore(account: string): void {
    if (this.account === account) return;
    this.volume = keptVolume();
    this.loudness = keptLoudness();
    const before = kept(account);
    this.queue = before.queue;
    this.begin(before.position, false);
    // From here on it is kept: coming back is no change.
    this.account = account;
    void this.elsewhere(account, before.at);
  }

  /** Whoever was signed in left. What they heard stays kept for them. */
  leave(): void {
    if (this.playing) this.keep();
    this.roaming.forget();
    this.account = null;
    this.queue = queues.EMPTY;
    this.begin(0, false);
  }

  /** Plays these tracks from the one at `first` on. */
  play(tracks: Track[], first = 0, shuffled = false): void {
    if (tracks.length === 0) return;
    const from = shuffled && first === 0 ? Math.floor(Math.random() * tracks.length) : first;
    this.queue = queues.filled(this.queue, tracks, from, shuffled, Math.random);
    this.begin(0, true);
  }

  playNext(tracks: Track[]): void {
    this.grow(queues.insertNext(this.queue, tracks));
  }

  append(tracks: Track[]): void {
    this.grow(queues.append(this.queue, tracks));
  }

  remove(key: number): void {
    const heard = this.entry?.key === key;
    this.queue = queues.without(this.queue, key);
    if (heard) this.begin(0, this.playing);
    else this.reordered();
  }

  /** Empties the queue; gives back what was in it. */
  clear(): () => void {
    const [before, position] = [this.queue, this.position];
    this.queue = { ...queues.EMPTY, repeat: before.repeat };
    this.begin(0, false);
    return () => {
      this.queue = before;
      this.begin(position, false);
    };
  }

  jump(key: number): void {
    this.queue = queues.jumped(this.queue, key);
    this.begin(0, true);
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.resume();
  }

  pause(): void {
    if (!this.playing) return;
    this.position = this.exactly();
    this.pair?.front.pause();
    this.rest();
  }

  resume(): void {
    const { track } = this;
    if (!track || this.playing) return;
    if (!this.pair?.front.holds(track.id)) return this.begin(this.position, true);
    this.playing = true;
    tellState(true);
    void this.begun(this.turn);
  }

  next(): void {
    const at = queues.skipped(this.queue);
    if (at === null) toasts.say(t.music.ended);
    else this.go(at, true);
  }

  previous(): void {
    if (this.position > RESTART_SECONDS) this.seek(0);
    else this.go(queues.preceding(this.queue), this.playing);
  }

  seek(to: number): void {
    const { track } = this;
    if (!track) return;
    this.position = Math.max(0, this.duration > 0 ? Math.min(to, this.duration) : to);
    this.pair?.release();
    if (this.pair?.front.holds(track.id)) this.pair.front.seek(this.position);
    tellPosition(this.position, this.duration);
    this.keep();
  }

  shuffle(): void {
    this.queue = this.queue.shuffled ? queues.unshuffle(this.queue) : queues.shuffle(this.queue, Math.random);
    this.reordered();
  }

  repeat(): void {
    this.queue = { ...this.queue, repeat: queues.repeatAfter(this.queue.repeat) };
    this.reordered();
  }

  /** From 0 to 1. */
  setVolume(volume: number): void {
    this.volume = Math.min(1, Math.max(0, volume));
    this.muted = false;
    keepVolume(this.volume);
    this.sounds();
  }

  mute(): void {
    this.muted = !this.muted;
    this.sounds();
  }

  /** By what tags say of the loudness, and how much more. */
  setLoudness(loudness: Loudness): void {
    this.loudness = loudness;
    keepLoudness(loudness);
    if (this.pair) this.pair.loudness = loudness;
  }

  /** Seconds, as precisely as it is known now. */
  exactly(): number {
    const { pair, track } = this;
    return track && pair?.front.holds(track.id) ? pair.front.position : this.position;
  }

  /** Writes down where one is; also when the page is left. `along`: music only went on. */
  keep(along = false): void {
    this.keptAt = this.position;
    if (!this.account) return;
    keep(this.account, { queue: this.queue, position: this.position });
    this.roaming.changed(along);
  }

  /** Another device or program may have been heard later: its queue comes back where there is none here, and is offered else. */
  private async elsewhere(account: string, keptAt: number): Promise<void> {
    const saved = await api.playQueue().catch(() => null);
    if (!saved || this.account !== account || this.playing || !isNews(saved, this.queue, keptAt)) return;
    const { queue, position } = queueOf(saved);
    const take = () => {
      this.queue = queue;
      this.roaming.knows(queue, position);
      this.begin(position, false);
    };
    if (this.queue.entries.length === 0) take();
    else {
      const run = () => {
        take();
        this.resume();
      };
      toasts.say(t.music.elsewhere(saved.changed_by === 'Potluck' ? null : saved.changed_by), {
        label: t.music.goOn,
        run,
      });
    }
  }

  private grow(queue: Queue): void {
    const silent = this.queue.entries.length === 0;
    this.queue = queue;
    if (silent) this.begin(0, true);
    else this.reordered();
  }

  /** What follows may be another track now. */
  private reordered(): void {
    this.keep();
    this.pair?.follows(this.following());
  }

  private following(): Entry | null {
    const at = queues.following(this.queue);
    return at === null ? null : (this.queue.entries[at] ?? null);
  }

  private go(at: number, play: boolean): void {
    this.queue = { ...this.queue, at };
    this.begin(0, play);
  }

  /** What the queue points at, from a position on. */
  private begin(from: number, play: boolean): void {
    const { track } = this;
    this.turn += 1;
    this.heard = 0;
    this.told = false;
    this.position = from;
    this.duration = track?.duration ?? 0;
    this.waiting = false;
    this.playing = play && track !== null;
    this.pair?.turn(track?.id ?? null, from);
    if (!this.playing) this.pair?.rest();
    this.learn();
    tellTrack(track);
    if (track) tellState(this.playing);
    this.keep();
    if (track && play) void this.begun(this.turn);
  }

  private async begun(turn: number): Promise<void> {
    const { track } = this;
    if (!track) return;
    const deck = (this.pair ??= this.build()).front;
    try {
      this.waiting = true;
      if (!deck.holds(track.id)) deck.open(track.id, this.position).catch(() => {});
      await deck.opened;
      if (turn !== this.turn || !this.playing) return;
      await deck.play();
    } catch (error) {
      if (turn !== this.turn) return;
      if ((error as Error).name === 'NotAllowedError') this.pause();
      else this.fail();
    }
  }

  private build(): Pair {
    const events = {
      moved: () => this.moved(),
      ended: () => this.ended(),
      waits: (waiting: boolean) => (this.waiting = waiting),
      stopped: () => this.pause(),
      failed: () => this.fail(),
      told: () => this.learn(),
    };
    answer({
      play: () => this.resume(),
      pause: () => this.pause(),
      next: () => this.next(),
      previous: () => this.previous(),
      seek: (to) => this.seek(to),
      seekBy: (seconds) => this.seek(this.position + seconds),
    });
    addEventListener('pagehide', () => {
      // What is silent is kept already, and was not heard since.
      if (this.playing) this.keep();
      this.roaming.leave();
    });
    const pair = new Pair(events, this.supply, this.loudness);
    pair.volume = this.muted ? 0 : this.volume;
    return pair;
  }

  private moved(): void {
    const { position, duration } = this.pair!.front;
    const step = position - this.position;
    this.position = position;
    if (duration > 0) this.duration = duration;
    this.failures = 0;
    if (step > 0 && step < 2) this.count(step);
    tellPosition(position, this.duration);
    if (Math.abs(position - this.keptAt) >= KEEP_EVERY_SECONDS) this.keep(true);
    const next = this.duration - position < PREPARE_SECONDS ? this.following() : null;
    if (next) this.pair?.prepare(next);
  }

  private count(seconds: number): void {
    this.heard += seconds;
    const { track, duration } = this;
    if (this.told || !track || !(duration > 0) || this.heard < Math.min(duration / 2, HEARD_SECONDS)) return;
    this.told = true;
    api.saveProgress(track.id, { position: Math.round(duration), completed: true }).catch(() => {});
  }

  private ended(): void {
    const at = queues.following(this.queue);
    if (at !== null) return this.go(at, true);
    this.pair?.front.close();
    this.position = 0;
    this.rest();
  }

  private rest(): void {
    this.pair?.rest();
    this.playing = false;
    this.waiting = false;
    tellState(false);
    this.keep();
  }

  /** Goes on with the next, unless a whole queue fails. */
  private fail(): void {
    const title = this.track?.title ?? '';
    this.failures += 1;
    const at = queues.skipped(this.queue);
    if (at === null || this.failures > 3) {
      this.pair?.front.close();
      this.rest();
      this.failures = 0;
      toasts.say(t.music.failedLast(title));
    } else {
      toasts.say(t.music.failed(title));
      this.go(at, true);
    }
  }

  private sounds(): void {
    if (this.pair) this.pair.volume = this.muted ? 0 : this.volume;
  }

  private learn(): void {
    this.detail = this.pair?.front.detail ?? null;
    this.origin = this.supply.originOf(this.pair?.front.arrived ?? null);
  }
}

export const music = new Music();

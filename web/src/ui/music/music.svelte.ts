/**
 * The music of the page: one queue, and two decks that take turns so that the next track begins where this one ends. It goes on
 * while one walks through the page, and is kept in this browser.
 */
import { api } from '../../api/client';
import type { ItemDetail } from '../../api/types';
import { t } from '../../strings';
import { toasts } from '../state/toasts.svelte';
import { Deck, type DeckEvents } from './deck';
import { keepLoudness, keptLoudness, PLAIN, type Loudness } from './gain';
import { keep, keepVolume, kept, keptVolume } from './kept';
import { answer, tellPosition, tellState, tellTrack } from './media-session';
import * as queues from './queue';
import { Output } from './output';
import type { Queue, Track } from './queue';
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
  private output: Output | null = null;
  private decks: [Deck, Deck] | null = null;
  private turn = 0;
  private heard = 0;
  private told = false;
  /** The entry of the queue that the other deck has, or opens, while this one plays. */
  private prepared: number | null = null;
  /** It begins by itself where this one ends. */
  private led = false;
  private keptAt = 0;
  /** Tracks in a row that could not be played. */
  private failures = 0;

  /** What this account heard last comes back, silent. */
  restore(account: string): void {
    if (this.account === account) return;
    this.account = account;
    this.volume = keptVolume();
    this.loudness = keptLoudness();
    const before = kept(account);
    this.queue = before.queue;
    this.begin(before.position, false);
  }

  /** Whoever was signed in left. What they heard stays kept for them. */
  leave(): void {
    this.keep();
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
    this.decks?.[0].pause();
    this.rest();
  }

  resume(): void {
    const { track } = this;
    if (!track || this.playing) return;
    if (!this.decks?.[0].holds(track.id)) return this.begin(this.position, true);
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
    this.unprepare();
    if (this.decks?.[0].holds(track.id)) this.decks[0].seek(this.position);
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
    for (const deck of this.decks ?? []) deck.loud = loudness;
  }

  /** Seconds, as precisely as it is known now. */
  exactly(): number {
    const deck = this.decks?.[0];
    return this.track && deck?.holds(this.track.id) ? deck.position : this.position;
  }

  /** Writes down where one is; also when the page is left. */
  keep(): void {
    this.keptAt = this.position;
    if (this.account) keep(this.account, { queue: this.queue, position: this.position });
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
    const at = queues.following(this.queue);
    if (this.prepared !== null && this.prepared !== (at === null ? null : this.queue.entries[at]!.key))
      this.unprepare();
  }

  /** What was prepared shall not begin by itself: it is looked at anew what follows, and when. */
  private unprepare(): void {
    this.prepared = null;
    if (this.led) this.decks?.[1].hold();
    this.led = false;
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
    this.prepared = null;
    this.led = false;
    this.position = from;
    this.duration = track?.duration ?? 0;
    this.waiting = false;
    this.playing = play && track !== null;
    this.take(track, from);
    tellTrack(track);
    if (track) tellState(this.playing);
    this.keep();
    if (track && play) void this.begun(this.turn);
  }

  /** The deck that already has the track comes to the front; the one that played is emptied. */
  private take(track: Track | null, from: number): void {
    if (!this.decks) return;
    const [now, next] = this.decks;
    now.close();
    if (track && from === 0 && next.holds(track.id)) this.decks = [next, now];
    else next.close();
    this.learn(this.decks[0]);
  }

  private async begun(turn: number): Promise<void> {
    const { track } = this;
    this.decks ??= this.build();
    const [deck] = this.decks;
    if (!track) return;
    try {
      this.waiting = true;
      if (!deck.holds(track.id)) deck.open(track.id, this.position).catch(() => {});
      await deck.opened;
      if (turn !== this.turn || !this.playing) return;
      await deck.play();
    } catch (error) {
      if (turn !== this.turn) return;
      if ((error as Error).name === 'NotAllowedError') this.rest();
      else this.fail();
    }
  }

  private build(): [Deck, Deck] {
    const front = (deck: Deck) => deck === this.decks?.[0];
    const output = new Output(() => this.rest());
    const events: DeckEvents = {
      moved: (deck) => front(deck) && this.moved(deck),
      ended: (deck) => front(deck) && this.ended(),
      waits: (deck, waiting) => {
        if (front(deck)) this.waiting = waiting;
      },
      stopped: (deck) => front(deck) && this.rest(),
      failed: (deck) => (front(deck) ? this.fail() : deck.close()),
      told: (deck) => front(deck) && this.learn(deck),
    };
    answer({
      play: () => this.resume(),
      pause: () => this.pause(),
      next: () => this.next(),
      previous: () => this.previous(),
      seek: (to) => this.seek(to),
      seekBy: (seconds) => this.seek(this.position + seconds),
    });
    addEventListener('pagehide', () => this.keep());
    const deck = () => new Deck(output, () => this.supply.join(), this.loudness, events);
    const decks: [Deck, Deck] = [deck(), deck()];
    this.decks = decks;
    this.output = output;
    this.sounds();
    return decks;
  }

  private moved(deck: Deck): void {
    const { position } = deck;
    const step = position - this.position;
    this.position = position;
    if (deck.duration > 0) this.duration = deck.duration;
    this.failures = 0;
    if (step > 0 && step < 2) this.count(step);
    tellPosition(position, this.duration);
    if (Math.abs(position - this.keptAt) >= KEEP_EVERY_SECONDS) this.keep();
    if (this.duration > 0 && this.duration - position < PREPARE_SECONDS) this.prepare();
  }

  private count(seconds: number): void {
    this.heard += seconds;
    const { track, duration } = this;
    if (this.told || !track || !(duration > 0) || this.heard < Math.min(duration / 2, HEARD_SECONDS)) return;
    this.told = true;
    api.saveProgress(track.id, { position: Math.round(duration), completed: true }).catch(() => {});
  }

  /** Has what follows ready, and lets it begin right where this track ends. */
  private prepare(): void {
    const at = queues.following(this.queue);
    const entry = at === null ? null : this.queue.entries[at]!;
    const [now, spare] = this.decks ?? [];
    if (!entry || !now || !spare || this.led) return;
    if (this.prepared !== entry.key) {
      this.prepared = entry.key;
      if (!spare.holds(entry.track.id)) spare.open(entry.track.id, 0).catch(() => spare.close());
    }
    this.led = now.lead(spare);
  }

  private ended(): void {
    const at = queues.following(this.queue);
    if (at !== null) return this.go(at, true);
    this.decks?.[0].close();
    this.position = 0;
    this.rest();
  }

  private rest(): void {
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
      this.decks?.[0].close();
      this.rest();
      this.failures = 0;
      toasts.say(t.music.failedLast(title));
    } else {
      toasts.say(t.music.failed(title));
      this.go(at, true);
    }
  }

  private sounds(): void {
    if (this.output) this.output.volume = this.muted ? 0 : this.volume;
  }

  private learn(deck: Deck): void {
    this.detail = deck.detail;
    this.origin = this.supply.originOf(deck.arrived);
  }
}

export const music = new Music();

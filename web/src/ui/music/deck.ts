/**
 * One of two that take turns: while one plays, the other already has the next track, so that it begins at once. Positions
 * are seconds of the track, whatever was left out at the beginning of what the node made.
 */
import { ask, made, type Source } from './source';

export interface DeckEvents {
  /** The position has moved. */
  moved: (deck: Deck) => void;
  ended: (deck: Deck) => void;
  /** Bytes are waited for, or came. */
  waits: (deck: Deck, waiting: boolean) => void;
  /** Somebody else stopped it: the system, or a headset that was pulled out. */
  stopped: (deck: Deck) => void;
  failed: (deck: Deck) => void;
}

export class Deck {
  private readonly sound = new Audio();
  /** Fails where the node does not say what the track is. */
  opened: Promise<void> = Promise.resolve();
  private track: string | null = null;
  private source: Source | null = null;
  /** Seconds that the address leaves out. */
  private base = 0;
  private running = false;
  private turn = 0;

  constructor(private readonly events: DeckEvents) {
    const { sound } = this;
    sound.preload = 'auto';
    sound.addEventListener('timeupdate', () => this.running && events.moved(this));
    sound.addEventListener('ended', () => events.ended(this));
    sound.addEventListener('waiting', () => events.waits(this, true));
    sound.addEventListener('playing', () => {
      this.running = true;
      events.waits(this, false);
    });
    sound.addEventListener('pause', () => {
      if (!this.running || !sound.paused || sound.ended) return;
      this.running = false;
      events.stopped(this);
    });
    sound.addEventListener('error', () => this.failed());
  }

  get position(): number {
    return this.base + this.sound.currentTime;
  }

  /** Seconds; NaN while not known. What is still being made does not know how long it will be. */
  get duration(): number {
    return Number.isFinite(this.sound.duration) ? this.base + this.sound.duration : NaN;
  }

  holds(track: string): boolean {
    return this.track === track;
  }

  set volume(volume: number) {
    this.sound.volume = volume;
  }

  set muted(muted: boolean) {
    this.sound.muted = muted;
  }

  /** Has it ready at a position; once `opened`. */
  open(track: string, from: number): Promise<void> {
    const turn = this.close();
    this.track = track;
    this.opened = ask(track, (type) => this.sound.canPlayType(type)).then((source) => {
      if (turn !== this.turn) return;
      this.source = source;
      this.address(from);
    });
    return this.opened;
  }

  /** Resolves when it plays. What was closed meanwhile is silent. */
  async play(): Promise<void> {
    if (!this.source) return;
    try {
      await this.sound.play();
    } catch (error) {
      // Another source took over, or `error` tells of it.
      if (['AbortError', 'NotSupportedError'].includes((error as Error).name)) return;
      throw error;
    }
  }

  pause(): void {
    this.running = false;
    this.sound.pause();
  }

  seek(to: number): void {
    const within = to - this.base;
    if (this.source?.made && !this.reaches(within)) {
      const resume = this.running;
      this.address(to);
      if (resume) this.play().catch(() => this.events.stopped(this));
    } else this.sound.currentTime = Math.max(0, within);
  }

  /** Silent and empty; what was being opened is given up. */
  close(): number {
    this.running = false;
    this.turn += 1;
    this.track = null;
    this.source = null;
    this.base = 0;
    this.sound.pause();
    if (this.sound.hasAttribute('src')) {
      this.sound.removeAttribute('src');
      this.sound.load();
    }
    return this.turn;
  }

  private reaches(seconds: number): boolean {
    const { seekable } = this.sound;
    for (let i = 0; i < seekable.length; i += 1) {
      if (seconds >= seekable.start(i) && seconds <= seekable.end(i)) return true;
    }
    return false;
  }

  private address(from: number): void {
    if (!this.source) return;
    this.base = this.source.made ? from : 0;
    this.sound.src = this.source.url(this.base);
    if (!this.source.made && from > 0) this.sound.currentTime = from;
  }

  /** A file that the browser said it would play and does not is made anew, once. */
  private failed(): void {
    if (!this.source || !this.track) return;
    if (this.source.made) return this.events.failed(this);
    const [from, resume] = [this.sound.currentTime, this.running || !this.sound.paused];
    this.source = made(this.track, (type) => this.sound.canPlayType(type));
    this.address(from);
    if (resume) this.play().catch(() => this.events.stopped(this));
  }
}

/** Plays through an audio element what a feed gives it as it comes: what the node made anew, and what is too long to be decoded as a whole. */
import type { Source } from './source';

export interface StreamEvents {
  moved: () => void;
  ended: () => void;
  waits: (waiting: boolean) => void;
  stopped: () => void;
  failed: () => void;
}

/** Gives an element its sound. */
export interface Feed {
  /** Gives it from a position on; resolves once the element may be told to play. Nothing of this happens after `detach`. */
  attach: (sound: HTMLAudioElement, from: number) => Promise<void>;
  /** Seconds that what it gives leaves out at the beginning. */
  readonly base: number;
  /** Whether a place (as the element counts) can be sought in what it gives; else it is attached anew. */
  reaches: (sound: HTMLAudioElement, seconds: number) => boolean;
  detach: () => void;
}

/** Nearer than this to where it was told to begin, the element is there. */
const THERE_SECONDS = 0.5;

export class Stream {
  private readonly sound = new Audio();
  private feed: Feed | null = null;
  private attached: Promise<void> = Promise.resolve();
  /** Where it was told to begin, until the element is there. */
  private held: number | null = null;
  private wanted = false;
  private running = false;

  constructor(
    context: AudioContext,
    node: AudioNode,
    private readonly events: StreamEvents,
  ) {
    const { sound } = this;
    sound.preload = 'auto';
    new MediaElementAudioSourceNode(context, { mediaElement: sound }).connect(node);
    sound.addEventListener('timeupdate', () => {
      this.arrive();
      if (this.running) events.moved();
    });
    sound.addEventListener('ended', () => this.feed && events.ended());
    sound.addEventListener('waiting', () => this.feed && events.waits(true));
    sound.addEventListener('playing', () => {
      this.held = null;
      this.running = true;
      events.waits(false);
    });
    sound.addEventListener('pause', () => {
      if (!this.running || !sound.paused || sound.ended) return;
      this.running = false;
      events.stopped();
    });
    sound.addEventListener('error', () => this.failed());
  }

  /** Seconds of the track, whatever was left out at the beginning of what the node made. */
  get position(): number {
    return this.held ?? (this.feed?.base ?? 0) + this.sound.currentTime;
  }

  /** Seconds; NaN while not known. What is still being made does not know how long it will be. */
  get duration(): number {
    return Number.isFinite(this.sound.duration) ? (this.feed?.base ?? 0) + this.sound.duration : NaN;
  }

  /** Resolves once it can be told to play. */
  open(feed: Feed, from: number): Promise<void> {
    this.feed = feed;
    this.begin(from);
    return this.attached;
  }

  /** Resolves when it plays. What was closed meanwhile is silent. */
  async play(): Promise<void> {
    this.wanted = true;
    const { feed } = this;
    await this.attached;
    if (!this.wanted || feed !== this.feed) return;
    try {
      await this.sound.play();
    } catch (error) {
      // Another source took over, or `failed` tells of it.
      if (['AbortError', 'NotSupportedError'].includes((error as Error).name)) return;
      throw error;
    }
  }

  pause(): void {
    this.wanted = false;
    this.running = false;
    this.sound.pause();
  }

  seek(to: number): void {
    if (!this.feed) return;
    const within = to - this.feed.base;
    if (this.feed.reaches(this.sound, within)) {
      this.held = null;
      this.sound.currentTime = Math.max(0, within);
      return;
    }
    const resume = this.wanted;
    this.running = false;
    this.begin(to);
    if (resume) this.play().catch(() => this.events.stopped());
  }

  /** What feeds it has nothing more for it. */
  failed(): void {
    if (this.feed) this.events.failed();
  }

  /** Silent and empty. */
  close(): void {
    this.pause();
    this.feed?.detach();
    this.feed = null;
    this.held = null;
    if (!this.sound.hasAttribute('src')) return;
    this.sound.removeAttribute('src');
    this.sound.load();
  }

  private begin(from: number): void {
    if (!this.feed) return;
    this.held = from > 0 ? from : null;
    this.attached = this.feed.attach(this.sound, from);
  }

  private arrive(): void {
    const { held } = this;
    if (held !== null && Math.abs((this.feed?.base ?? 0) + this.sound.currentTime - held) < THERE_SECONDS) {
      this.held = null;
    }
  }
}

/** What an address gives. */
export class Address implements Feed {
  base = 0;

  constructor(private readonly source: Source) {}

  attach(sound: HTMLAudioElement, from: number): Promise<void> {
    const { made, url } = this.source;
    this.base = made ? from : 0;
    sound.src = url(this.base);
    if (!made && from > 0) sound.currentTime = from;
    return Promise.resolve();
  }

  /** A file is had from any byte on, once it begins; what is being made only as far as it is there. */
  reaches({ seekable }: HTMLAudioElement, seconds: number): boolean {
    if (!this.source.made) return true;
    for (let i = 0; i < seekable.length; i += 1) {
      if (seconds >= seekable.start(i) && seconds <= seekable.end(i)) return true;
    }
    return false;
  }

  detach(): void {}
}

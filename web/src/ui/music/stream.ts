/** Plays what an address gives as it comes, through an audio element: what the node made anew, and what is too long to be decoded as a whole. */
import type { Source } from './source';

export interface StreamEvents {
  moved: () => void;
  ended: () => void;
  waits: (waiting: boolean) => void;
  stopped: () => void;
  failed: () => void;
}

export class Stream {
  private readonly sound = new Audio();
  private source: Source | null = null;
  /** Seconds that the address leaves out. */
  private base = 0;
  private running = false;

  constructor(
    context: AudioContext,
    node: AudioNode,
    private readonly events: StreamEvents,
  ) {
    const { sound } = this;
    sound.preload = 'auto';
    new MediaElementAudioSourceNode(context, { mediaElement: sound }).connect(node);
    sound.addEventListener('timeupdate', () => this.running && events.moved());
    sound.addEventListener('ended', () => this.source && events.ended());
    sound.addEventListener('waiting', () => this.source && events.waits(true));
    sound.addEventListener('playing', () => {
      this.running = true;
      events.waits(false);
    });
    sound.addEventListener('pause', () => {
      if (!this.running || !sound.paused || sound.ended) return;
      this.running = false;
      events.stopped();
    });
    sound.addEventListener('error', () => this.source && events.failed());
  }

  /** Seconds of the track, whatever was left out at the beginning of what the node made. */
  get position(): number {
    return this.base + this.sound.currentTime;
  }

  /** Seconds; NaN while not known. What is still being made does not know how long it will be. */
  get duration(): number {
    return Number.isFinite(this.sound.duration) ? this.base + this.sound.duration : NaN;
  }

  open(source: Source, from: number): void {
    this.source = source;
    this.address(from);
  }

  /** Resolves when it plays. What was closed meanwhile is silent. */
  async play(): Promise<void> {
    try {
      await this.sound.play();
    } catch (error) {
      // Another source took over, or `failed` tells of it.
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
      if (resume) this.play().catch(() => this.events.stopped());
    } else this.sound.currentTime = Math.max(0, within);
  }

  /** Silent and empty. */
  close(): void {
    this.running = false;
    this.source = null;
    this.base = 0;
    this.sound.pause();
    if (!this.sound.hasAttribute('src')) return;
    this.sound.removeAttribute('src');
    this.sound.load();
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
}

/**
 * Plays a decoded track, to the sample: where it stands, where it goes on when more of it was decoded, and where the next track begins
 * are frames of the audio context. A pause stops the context's own clock, so nothing moves in it.
 */
import type { Sound } from './sound';

export interface TapeEvents {
  /** It came to its end. */
  ended: () => void;
  /** What follows is not there yet, or came. */
  waits: (waiting: boolean) => void;
}

/** What is started is started this much later, so that no frame of it is late. */
const LEAD_SECONDS = 0.03;

export class Tape {
  private source: AudioBufferSourceNode | null = null;
  /** The frame of the context at which its own frame 0 is, or would have been; null while it does not run. */
  private origin: number | null = null;
  /** Its own frame at which it begins once it runs, or stands. */
  private at = 0;
  /** Its own frame at which what is loaded ends, and whether that is the end of all. */
  private until = 0;
  private whole = false;
  /** It wants to run, but what is to be heard is not there yet. */
  hungry = false;
  private closed = false;

  constructor(
    private readonly context: AudioContext,
    private readonly node: AudioNode,
    private readonly sound: Sound,
    private readonly events: TapeEvents,
  ) {}

  /** Seconds. */
  get position(): number {
    if (this.origin === null) return this.at / this.rate;
    const frame = Math.round(this.context.currentTime * this.rate) - this.origin;
    return Math.max(this.at, Math.min(frame, this.sound.frames)) / this.rate;
  }

  /** Seconds; NaN while only its beginning came. */
  get duration(): number {
    return this.sound.complete ? this.sound.frames / this.rate : NaN;
  }

  /** The frame of the context right after its last; null while that is not known. */
  get end(): number | null {
    return this.origin !== null && this.sound.complete ? this.origin + this.sound.frames : null;
  }

  /** Whether a place can be heard at once. */
  reaches(seconds: number): boolean {
    return this.sound.complete || seconds * this.rate < this.sound.frames;
  }

  /** Runs from where it stands, unless it does already, or is about to. */
  play(): void {
    const soon = this.context.currentTime * this.rate + 2 * LEAD_SECONDS * this.rate;
    if (this.source && this.origin !== null && this.origin + this.at <= soon) return;
    this.runAt(this.soon());
  }

  /** Begins right at a frame of the context. */
  runAt(frame: number): void {
    this.silence();
    this.origin = frame - this.at;
    this.load(frame);
  }

  /** As if it had not been told to begin. */
  cancel(): void {
    this.silence();
    this.hungry = false;
    this.origin = null;
  }

  seek(seconds: number): void {
    const running = this.source !== null || this.hungry;
    this.silence();
    this.at = Math.max(0, Math.round(seconds * this.rate));
    this.origin = null;
    if (running) this.runAt(this.soon());
  }

  /** More of it was decoded: it goes on in that, at the same place. */
  grown(): void {
    if (this.closed) return;
    if (this.hungry) this.runAt(this.soon());
    else if (this.source && this.origin !== null) {
      const frame = Math.max(this.soon(), this.origin + this.at);
      // Where that is too late, the end of what is loaded leads on.
      if (this.whole || frame - this.origin >= this.until) return;
      const before = this.source;
      before.onended = null;
      before.stop(frame / this.rate);
      this.load(frame);
    }
  }

  close(): void {
    this.closed = true;
    this.hungry = false;
    this.silence();
  }

  private get rate(): number {
    return this.context.sampleRate;
  }

  private soon(): number {
    return Math.ceil((this.context.currentTime + LEAD_SECONDS) * this.rate);
  }

  /** Has the right frame heard at a frame of the context. */
  private load(frame: number): void {
    if (this.origin === null) return;
    const { buffer, frames, complete } = this.sound;
    const from = frame - this.origin;
    if (!buffer || from >= frames) return complete ? this.finish(from) : this.wait(from);
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.node);
    source.onended = () => this.ran(source);
    if (complete) source.start(frame / this.rate, from / this.rate);
    else source.start(frame / this.rate, from / this.rate, (frames - from) / this.rate);
    this.source = source;
    this.until = frames;
    this.whole = complete;
    if (this.hungry) this.events.waits(false);
    this.hungry = false;
  }

  private ran(source: AudioBufferSourceNode): void {
    if (source !== this.source) return;
    this.source = null;
    if (this.whole) this.finish(this.until);
    else this.wait(this.until);
  }

  private wait(at: number): void {
    this.at = at;
    this.origin = null;
    if (!this.hungry) this.events.waits(true);
    this.hungry = true;
    // It may have grown since this end was decided.
    if (this.sound.frames > at) this.grown();
  }

  private finish(at: number): void {
    this.at = at;
    this.origin = null;
    this.hungry = false;
    this.events.ended();
  }

  private silence(): void {
    if (!this.source) return;
    this.source.onended = null;
    this.source.stop();
    this.source.disconnect();
    this.source = null;
  }
}

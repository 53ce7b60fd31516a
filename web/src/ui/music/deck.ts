/**
 * One of two that take turns: while one plays, the other already has the next track. A track whose file this browser decodes, and that
 * is not too long, is decoded from verified blocks and played to the sample (`Tape`), so that the next one begins where it ends. Anything
 * else is played as it comes (`Stream`): from its segments, which are verified blocks too, and by its address where those cannot be had.
 */
import { api } from '../../api/client';
import type { ItemDetail } from '../../api/types';
import type { Exchange } from '../../exchange';
import { read, type Read } from './bytes';
import { factorOf, type Loudness } from './gain';
import { rateFor, type Output, type Rate } from './output';
import { partsOf, Segmented } from './segmented';
import { Sound } from './sound';
import { bearable, isDecoded, made, sourceFor, type Source } from './source';
import { Address, Stream, type Feed } from './stream';
import { Tape } from './tape';

export interface DeckEvents {
  /** The position has moved. */
  moved: (deck: Deck) => void;
  ended: (deck: Deck) => void;
  /** Bytes are waited for, or came. */
  waits: (deck: Deck, waiting: boolean) => void;
  /** Somebody else stopped it: the system, or a headset that was pulled out. */
  stopped: (deck: Deck) => void;
  failed: (deck: Deck) => void;
  /** It is known what the track is, or where its bytes came from. */
  told: (deck: Deck) => void;
}

/** How the bytes came: as these verified blocks, of the file or of what the node made anew, or plainly from the node. */
export type Arrived = { verified: NonNullable<Read>; made: boolean } | 'plain' | 'made';

const MOVED_EVERY_MS = 200;

/** What this browser says of a media type. */
const plays = (type: string) => document.createElement('audio').canPlayType(type);

export class Deck {
  /** Fails where the node does not say what the track is. */
  opened: Promise<void> = Promise.resolve();
  detail: ItemDetail | null = null;
  arrived: Arrived | null = null;
  private track: string | null = null;
  private tape: Tape | null = null;
  private sound: Sound | null = null;
  private stream: Stream | null = null;
  private rate: Rate = 48_000;
  private gain: GainNode | null = null;
  private source: Source | null = null;
  private abort = new AbortController();
  private timer: ReturnType<typeof setInterval> | undefined;
  private wanted = 0;
  private playing = false;

  constructor(
    private readonly output: Output,
    private readonly join: () => Promise<{ exchange: Exchange; hold: (item: ItemDetail) => void }>,
    private loudness: Loudness,
    private readonly events: DeckEvents,
  ) {}

  get position(): number {
    return this.tape?.position ?? this.stream?.position ?? this.wanted;
  }

  /** Seconds; NaN while not known. */
  get duration(): number {
    return this.tape?.duration ?? this.stream?.duration ?? NaN;
  }

  holds(track: string): boolean {
    return this.track === track;
  }

  set loud(loudness: Loudness) {
    this.loudness = loudness;
    if (this.gain) this.gain.gain.value = this.factor;
  }

  /** Has it ready at a position; once `opened`. */
  open(track: string, from: number): Promise<void> {
    const { signal } = this.close();
    this.track = track;
    this.wanted = from;
    this.opened = this.load(track, signal);
    return this.opened;
  }

  /** Resolves when it plays, or will as soon as it is there. */
  async play(): Promise<void> {
    this.playing = true;
    await this.output.run(this.rate);
    this.tape?.play();
    await this.stream?.play();
    clearInterval(this.timer);
    if (this.tape && !this.tape.hungry) this.events.waits(this, false);
    if (this.tape) this.timer = setInterval(() => this.events.moved(this), MOVED_EVERY_MS);
  }

  pause(): void {
    this.playing = false;
    clearInterval(this.timer);
    this.stream?.pause();
    this.output.rest();
  }

  seek(to: number): void {
    this.wanted = to;
    this.stream?.seek(to);
    if (!this.tape) return;
    // Who seeks behind what came shall not wait for all of it.
    if (this.tape.reaches(to)) this.tape.seek(to);
    else void this.segmented(to);
  }

  /** Has another deck begin right where this one ends. False where that cannot be. */
  lead(next: Deck): boolean {
    const end = this.tape?.end ?? null;
    if (end === null || !next.tape || next.rate !== this.rate) return false;
    next.tape.runAt(end);
    return true;
  }

  /** It was told to begin later, and shall not. */
  hold(): void {
    this.tape?.cancel();
  }

  /** Silent and empty; what was being opened is given up. */
  close(): AbortController {
    this.abort.abort();
    this.abort = new AbortController();
    clearInterval(this.timer);
    this.timer = undefined;
    this.playing = false;
    this.tape?.close();
    this.sound?.close();
    this.stream?.close();
    this.gain?.disconnect();
    this.tape = this.sound = this.stream = this.gain = null;
    this.track = this.detail = this.source = this.arrived = null;
    return this.abort;
  }

  private get factor(): number {
    return factorOf(this.detail?.music?.gain, this.loudness);
  }

  private async load(track: string, signal: AbortSignal): Promise<void> {
    const detail = await api.item(track, null, signal);
    signal.throwIfAborted();
    this.detail = detail;
    this.source = sourceFor(track, detail, plays);
    const opus = detail.streams.some(({ codec }) => codec === 'opus');
    const rate = rateFor(detail.music?.sample_rate ?? (opus ? 48_000 : 44_100));
    const { deviceMemory } = navigator as { deviceMemory?: number };
    if (this.source.made || !isDecoded(detail, rate, bearable(deviceMemory))) await this.segmented(this.wanted);
    else await this.decoded(rate, signal);
  }

  /** Decodes the track as it comes; ready when its beginning is. */
  private async decoded(rate: Rate, signal: AbortSignal): Promise<void> {
    const { context } = this.output.at(rate);
    let ready = () => {};
    const begun = new Promise<void>((resolve) => (ready = resolve));
    const sound = new Sound(
      (bytes) => context.decodeAudioData(bytes),
      () => {
        ready();
        this.tape?.grown();
      },
    );
    this.rate = rate;
    this.sound = sound;
    this.fetch(sound, signal).catch(() => {
      ready();
      if (signal.aborted || !this.source) return;
      // What it cannot decode, it may still play; if not, the node makes it anew.
      void this.segmented(this.tape?.position ?? this.wanted);
    });
    await begun;
    if (signal.aborted || this.stream) return;
    this.gain = this.connected(rate);
    this.tape = new Tape(context, this.gain, sound, {
      ended: () => this.events.ended(this),
      waits: (waiting) => this.events.waits(this, waiting),
    });
    this.tape.seek(this.wanted);
  }

  private async fetch(sound: Sound, signal: AbortSignal): Promise<void> {
    const { detail } = this;
    if (!detail) return;
    const { exchange, hold } = await this.join();
    hold(detail);
    const found = await read(
      detail,
      exchange,
      signal,
      (piece) => sound.add(piece),
      () => sound.restart(),
    );
    await sound.finish();
    if (signal.aborted) return;
    this.arrived = found ? { verified: found, made: false } : 'plain';
    this.events.told(this);
  }

  private connected(rate: Rate): GainNode {
    const { context, volume } = this.output.at(rate);
    const node = new GainNode(context, { gain: this.factor });
    node.connect(volume);
    return node;
  }

  /** From its segments on, as they come; resolves once it may be told to play. */
  private async segmented(from: number): Promise<void> {
    const { detail } = this;
    if (!detail) return;
    const stream: Stream = this.streaming(() => this.plainly(stream.position));
    const parts = async () => {
      const { exchange, hold } = await this.join();
      hold(detail);
      return partsOf(detail, exchange);
    };
    const feed = new Segmented(detail.id, parts, {
      came: (segment) => {
        this.arrived = { verified: segment, made: segment.encoder !== 'copy' };
        this.events.told(this);
      },
      failed: () => stream.failed(),
    });
    await this.begin(stream, feed, from);
  }

  /** From its address on, as it comes. */
  private plainly(from: number): void {
    const { source } = this;
    if (!source) return;
    const stream: Stream = this.streaming(() => this.remade(stream.position));
    this.arrived = source.made ? 'made' : 'plain';
    this.events.told(this);
    void this.begin(stream, new Address(source), from);
  }

  /** In the place of what played before. */
  private streaming(failed: () => void): Stream {
    this.abort.abort();
    this.tape?.close();
    this.sound?.close();
    this.stream?.close();
    this.gain?.disconnect();
    this.tape = this.sound = null;
    clearInterval(this.timer);
    this.timer = undefined;
    this.rate = 48_000;
    this.gain = this.connected(this.rate);
    this.stream = new Stream(this.output.at(this.rate).context, this.gain, {
      moved: () => this.events.moved(this),
      ended: () => this.events.ended(this),
      waits: (waiting) => this.events.waits(this, waiting),
      stopped: () => this.events.stopped(this),
      failed,
    });
    return this.stream;
  }

  private begin(stream: Stream, feed: Feed, from: number): Promise<void> {
    const opened = stream.open(feed, from);
    if (this.playing) this.play().catch(() => this.events.stopped(this));
    return opened;
  }

  /** A file that the browser said it would play and does not is made anew, once. */
  private remade(from: number): void {
    if (!this.source || !this.track) return;
    if (this.source.made) return this.events.failed(this);
    this.source = made(this.track, plays);
    this.plainly(from);
  }
}

/**
 * A track decoded, as far as it came. Its beginning is decoded as soon as it is there, so that it is heard while the rest comes; each
 * time four times as much came it is decoded anew, from the first sample on, and at the end as a whole. What was decoded of a beginning
 * has the same samples as the whole, except near its end, which is left out.
 */
export type Decode = (bytes: ArrayBuffer) => Promise<AudioBuffer>;

/** Bytes of the first beginning that is decoded. */
export const FIRST_BYTES = 256 * 1024;
const GROWTH = 4;
/** Seconds at the end of a beginning that may differ from the whole. */
const RAGGED_SECONDS = 0.5;

export class Sound {
  buffer: AudioBuffer | null = null;
  /** It is the whole track. */
  complete = false;
  private pieces: Uint8Array<ArrayBuffer>[] = [];
  private size = 0;
  private due = FIRST_BYTES;
  private decoding: Promise<void> | null = null;
  private over = false;

  /** `grown`: there is more of it, or all. */
  constructor(
    private readonly decode: Decode,
    private readonly grown: () => void,
  ) {}

  /** Frames that can be played. */
  get frames(): number {
    if (!this.buffer) return 0;
    const ragged = this.complete ? 0 : Math.ceil(RAGGED_SECONDS * this.buffer.sampleRate);
    return Math.max(0, this.buffer.length - ragged);
  }

  /** A piece of its file, in order. */
  add(piece: Uint8Array<ArrayBuffer>): void {
    this.pieces.push(piece);
    this.size += piece.length;
    if (this.size < this.due || this.decoding) return;
    this.due = this.size * GROWTH;
    // A container may tell at its end what is in it: then its beginning alone is nothing.
    this.decoding = this.take(false).catch(() => {});
    void this.decoding.then(() => (this.decoding = null));
  }

  /** What came so far was wrong. */
  restart(): void {
    this.pieces = [];
    this.size = 0;
    this.due = FIRST_BYTES;
  }

  /** All pieces came; fails where this browser cannot decode them. */
  async finish(): Promise<void> {
    await this.decoding;
    await this.take(true);
    this.pieces = [];
  }

  /** Nobody wants it any more. */
  close(): void {
    this.over = true;
    this.pieces = [];
    this.buffer = null;
  }

  private async take(whole: boolean): Promise<void> {
    const buffer = await this.decode(this.joined());
    if (this.over || (!whole && buffer.length <= (this.buffer?.length ?? 0))) return;
    this.buffer = buffer;
    this.complete = whole;
    this.grown();
  }

  /** A copy: decoding takes it away. */
  private joined(): ArrayBuffer {
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const piece of this.pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all.buffer;
  }
}

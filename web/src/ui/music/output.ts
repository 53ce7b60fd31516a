/**
 * Where the page's music leaves it: one audio context for each of the two usual sample rates, so that what is joined to the sample is
 * not resampled in two parts; the volume; and a silent element, by which the system knows that music plays here.
 */
const RATES = [44_100, 48_000] as const;
export type Rate = (typeof RATES)[number];

/** The rate at which sound of another one is heard: of the same family. */
export function rateFor(rate: number | null | undefined): Rate {
  return rate && rate % 11_025 === 0 ? 44_100 : 48_000;
}

export class Output {
  private readonly contexts = new Map<Rate, { context: AudioContext; volume: GainNode }>();
  private presence: HTMLAudioElement | null = null;
  private present = false;
  private loudness = 1;

  /** `stopped`: somebody else stopped the music, such as a headset that was pulled out. */
  constructor(private readonly stopped: () => void) {}

  /** What sound of a rate is connected to. */
  at(rate: Rate): { context: AudioContext; volume: GainNode } {
    const known = this.contexts.get(rate);
    if (known) return known;
    const context = new AudioContext({ sampleRate: rate, latencyHint: 'playback' });
    const volume = new GainNode(context, { gain: this.loudness });
    volume.connect(context.destination);
    void context.suspend();
    const made = { context, volume };
    this.contexts.set(rate, made);
    return made;
  }

  /** From 0 to 1. */
  set volume(volume: number) {
    this.loudness = volume;
    for (const { context, volume: node } of this.contexts.values()) {
      // At once, but without a crack.
      node.gain.setTargetAtTime(volume, context.currentTime, 0.01);
    }
  }

  /** Lets one rate be heard; fails with `NotAllowedError` where a browser waits for a press. */
  async run(rate: Rate): Promise<void> {
    this.presence ??= this.silence();
    this.present = true;
    await this.presence.play();
    for (const [other, { context }] of this.contexts) if (other !== rate) void context.suspend();
    await this.at(rate).context.resume();
  }

  /** Silent, and everything stays where it is. */
  rest(): void {
    this.present = false;
    this.presence?.pause();
    for (const { context } of this.contexts.values()) void context.suspend();
  }

  private silence(): HTMLAudioElement {
    const element = new Audio(URL.createObjectURL(new Blob([wave(SILENCE_SECONDS)], { type: 'audio/wav' })));
    element.loop = true;
    element.addEventListener('pause', () => {
      if (!this.present) return;
      this.present = false;
      this.stopped();
    });
    return element;
  }
}

/** Shorter sound has no place in the system's media controls. */
const SILENCE_SECONDS = 10;
const SILENCE_RATE = 8000;

/** Silence as WAVE of 8 bits. */
function wave(seconds: number): ArrayBuffer {
  const samples = seconds * SILENCE_RATE;
  const bytes = new Uint8Array(44 + samples).fill(128, 44);
  const view = new DataView(bytes.buffer);
  const word = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  word(0, 'RIFF');
  view.setUint32(4, 36 + samples, true);
  word(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, SILENCE_RATE, true);
  view.setUint32(28, SILENCE_RATE, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  word(36, 'data');
  view.setUint32(40, samples, true);
  return bytes.buffer;
}

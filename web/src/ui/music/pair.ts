/** The two decks of the music: the one that is heard, and what the other has ready for when that ends. */
import { Deck, type DeckEvents } from './deck';
import type { Loudness } from './gain';
import { Output } from './output';
import type { Entry } from './queue';
import type { Supply } from './supply.svelte';

/** What the deck that is heard tells. */
export interface PairEvents {
  moved: () => void;
  ended: () => void;
  waits: (waiting: boolean) => void;
  stopped: () => void;
  failed: () => void;
  told: () => void;
}

export class Pair {
  private readonly output: Output;
  private decks: [Deck, Deck];
  /** The entry of the queue that the other deck has, or opens. */
  private prepared: number | null = null;
  /** It begins by itself where this one ends. */
  private led = false;

  constructor(events: PairEvents, supply: Supply, loudness: Loudness) {
    const front = (deck: Deck) => deck === this.decks[0];
    const all: DeckEvents = {
      moved: (deck) => front(deck) && events.moved(),
      ended: (deck) => front(deck) && events.ended(),
      waits: (deck, waiting) => front(deck) && events.waits(waiting),
      stopped: (deck) => front(deck) && events.stopped(),
      failed: (deck) => (front(deck) ? events.failed() : deck.close()),
      told: (deck) => front(deck) && events.told(),
    };
    this.output = new Output(events.stopped);
    const deck = () => new Deck(this.output, () => supply.join(), loudness, all);
    this.decks = [deck(), deck()];
  }

  get front(): Deck {
    return this.decks[0];
  }

  /** From 0 to 1. */
  set volume(volume: number) {
    this.output.volume = volume;
  }

  set loudness(loudness: Loudness) {
    for (const deck of this.decks) deck.loud = loudness;
  }

  /** Silent, and everything stays where it is. */
  rest(): void {
    this.output.rest();
  }

  /** The deck that already has the track comes to the front; the one that played is emptied. */
  turn(track: string | null, from: number): void {
    const [now, next] = this.decks;
    now.close();
    if (track && from === 0 && next.holds(track)) this.decks = [next, now];
    else next.close();
    this.prepared = null;
    this.led = false;
  }

  /** Has what follows ready, and lets it begin right where this track ends. */
  prepare({ key, track }: Entry): void {
    if (this.led) return;
    const [now, spare] = this.decks;
    if (this.prepared !== key) {
      this.prepared = key;
      if (!spare.holds(track.id)) spare.open(track.id, 0).catch(() => spare.close());
    }
    this.led = now.lead(spare);
  }

  /** Another entry may follow now: what was prepared for one that does not shall not begin by itself. */
  follows(entry: Entry | null): void {
    if (this.prepared !== null && this.prepared !== entry?.key) this.release();
  }

  /** It is looked at anew what follows, and when. */
  release(): void {
    this.prepared = null;
    if (this.led) this.decks[1].hold();
    this.led = false;
  }
}

/**
 * Shares blocks out among nodes that all have them, so that they serve at the same time.
 *
 * Each gets its part of all bytes: as much as it is quick, up to what is plenty for any film. The node whose film it is gets a
 * sixth of what another gets: it is asked by everybody who has no copy near. One that was never asked is tried with one
 * block first, so that nobody waits for a line that turns out to be slow.
 */
import type { Carrier } from './carrier.ts';
import type { Clock } from './clock.ts';

/** Bytes a millisecond that are enough for any film: more counts for nothing. */
export const PLENTY = 4000;
/** Blocks that others are asked for while the owner's node is asked for one. */
export const SPARED = 6;
/** No node is so slow that it is never asked again. */
const SLOWEST = PLENTY / 100;
/** Of what was measured before, with each new measure. */
const KEEP = 0.8;

interface Flow {
  underWay: number;
  /** What is measured next began then. */
  since: number;
  bytes: number;
  busyMs: number;
  /** Its turn comes when the others' have come this far. */
  due: number;
}

export class Spread {
  readonly #clock: Clock;
  readonly #flows = new WeakMap<Carrier, Flow>();
  /** How far turns have come: bytes by share. */
  #turn = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whose turn it is to be asked for `size` bytes. */
  pick(carriers: Carrier[], size: number, owner: Carrier | undefined): Carrier | undefined {
    const known = carriers.filter((carrier) => !this.#onTrial(carrier));
    const due = (carrier: Carrier) => Math.max(this.#turn, this.#flow(carrier).due);
    const [first] = (known.length > 0 ? known : carriers).sort((a, b) => due(a) - due(b));
    if (!first) return undefined;
    this.#turn = due(first);
    this.#flow(first).due = this.#turn + size / this.#share(first, owner);
    return first;
  }

  /** Bytes a millisecond of late; null before anything was measured. */
  rate(carrier: Carrier): number | null {
    const { bytes, busyMs } = this.#flow(carrier);
    return bytes > 0 ? bytes / Math.max(busyMs, 1) : null;
  }

  /** Bytes a millisecond to hope for: much of one that was never asked, nothing yet of one that is just being tried. */
  hope(carrier: Carrier): number {
    return this.rate(carrier) ?? (this.#onTrial(carrier) ? 0 : PLENTY);
  }

  /** Whether there is nothing to gain from asking others as well, as far as is known. */
  isPlenty(carrier: Carrier): boolean {
    return (this.rate(carrier) ?? PLENTY) >= PLENTY;
  }

  began(carrier: Carrier): void {
    const flow = this.#flow(carrier);
    if (flow.underWay++ === 0) flow.since = this.#clock.now();
  }

  /** A request is over, well or not, and brought as many bytes. */
  ended(carrier: Carrier, bytes: number): void {
    const flow = this.#flow(carrier);
    const now = this.#clock.now();
    flow.underWay--;
    flow.bytes = flow.bytes * KEEP + bytes;
    flow.busyMs = flow.busyMs * KEEP + now - flow.since;
    flow.since = now;
  }

  #onTrial(carrier: Carrier): boolean {
    return this.rate(carrier) === null && this.#flow(carrier).underWay > 0;
  }

  #share(carrier: Carrier, owner: Carrier | undefined): number {
    const rate = Math.max(SLOWEST, Math.min(PLENTY, this.rate(carrier) ?? PLENTY));
    return carrier === owner ? rate : rate * SPARED;
  }

  #flow(carrier: Carrier): Flow {
    const known = this.#flows.get(carrier);
    if (known) return known;
    const fresh = { underWay: 0, since: 0, bytes: 0, busyMs: 0, due: 0 };
    this.#flows.set(carrier, fresh);
    return fresh;
  }
}

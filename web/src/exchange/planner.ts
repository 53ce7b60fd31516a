/**
 * Decides for each block whom to ask, and lets nothing through that does not hash to its CID.
 *
 * Carriers are tried in the order given; several nodes that have a block take turns (see `spread.ts`). One that falls
 * silent with a request under way is joined by the next after about a quarter of a second, and one that is slow by one
 * that will be done sooner: whoever brings the right bytes first wins. A silent carrier is not asked again until it gives
 * a sign of life; one that sends wrong bytes is dropped.
 */
import { matches } from '../content/verify.ts';
import { CarrierError, type Carrier } from './carrier.ts';
import { realClock, type Clock } from './clock.ts';
import { Spread } from './spread.ts';
import type { StatsStore } from './stats.ts';

/** A block by name; `size` in bytes. */
export interface BlockRef {
  cid: string;
  size: number;
}

/** A piece of content and the blocks that make it up, in order. */
export interface Content extends BlockRef {
  blocks: BlockRef[];
}

/** Friends' nodes hold the item: each is asked by itself where it can be reached, and through the own node else. */
export interface Holder {
  item: string;
  /** Ways to friends' nodes that hold the same file, in order of preference. */
  friends: Carrier[];
  /** The own node holds the file too: it is asked first, and not only a way to the others. */
  own: boolean;
  /** Of `friends`, the one whose film it is. */
  owner?: Carrier | undefined;
  /** A friend's node said that it has this block. */
  has: (carrier: Carrier, cid: string) => boolean;
}

export interface PlannerOptions {
  /** In order of preference. */
  carriers: Carrier[];
  stats: StatsStore;
  clock?: Clock;
  verify?: (cid: string, bytes: Uint8Array<ArrayBuffer>) => Promise<boolean>;
}

/** No word at all from a carrier for this long with a request under way, beyond a round trip: another one joins. */
export const SILENCE_MS = 200;
/** As `SILENCE_MS`, where another node is known to have the block. */
export const COVERED_SILENCE_MS = 150;
/** A request that stands still while its carrier is alive is joined by another after this long. */
export const STALL_MS = 3000;
/** A request that takes longer is joined by another node that has the block, if that one will be done sooner. */
export const SLOW_MS = 1000;
/** A carrier that sent wrong bytes is not asked for this long. */
export const DROPPED_MS = 10 * 60_000;
/** A better carrier that is only just opening is waited for this long, counted from when it began. */
export const HEAD_START_MS = 300;
const LOOK_MS = 25;
/** A look that comes this late says that the page itself stood still: what arrived meanwhile is still in its queue. */
const LATE_MS = 75;
/** Signs of life are asked for no more often than this. */
const PROBE_MS = 50;
/** Blocks are at most 1 MiB; a name with more is not asked for. */
const BLOCK_MAX = 2 * 1024 * 1024;

interface Standing {
  /** Silent since; a sign of life after it clears it. */
  suspectAt: number | null;
  probedAt: number;
  droppedUntil: number;
}

/** One carrier's try at one block. */
interface Attempt {
  carrier: Carrier;
  abort: AbortController;
  startedAt: number;
  movedAt: number;
  aliveAt: number;
  received: number;
  /** Another carrier has joined because of it. */
  hedged: boolean;
}

export class Planner {
  readonly #carriers: Carrier[];
  readonly #stats: StatsStore;
  readonly #clock: Clock;
  readonly #verify: (cid: string, bytes: Uint8Array<ArrayBuffer>) => Promise<boolean>;
  readonly #standing = new WeakMap<Carrier, Standing>();
  readonly #spread: Spread;
  #underWay = 0;
  #waiting: (() => void)[] = [];

  constructor(options: PlannerOptions) {
    this.#carriers = options.carriers;
    this.#stats = options.stats;
    this.#clock = options.clock ?? realClock;
    this.#verify = options.verify ?? matches;
    this.#spread = new Spread(this.#clock);
    for (const carrier of this.#carriers) carrier.onChange(() => this.#stats.changed());
  }

  /** All blocks of `content`, verified, one after the other; of a friend's item with its `holder`. */
  async fetchContent(
    content: Content,
    signal: AbortSignal,
    onBytes?: (count: number) => void,
    holder?: Holder,
  ): Promise<ArrayBuffer> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    try {
      const blocks = await Promise.all(content.blocks.map((block) => this.fetchBlock(block, both, onBytes, holder)));
      if (blocks.length === 1 && blocks[0]) return blocks[0].buffer;
      const whole = new Uint8Array(content.blocks.reduce((sum, { size }) => sum + size, 0));
      let at = 0;
      for (const block of blocks) {
        whole.set(block, at);
        at += block.length;
      }
      return whole.buffer;
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  }

  /**
   * One block, verified. Rejects with the signal's reason, or when no carrier has it. `onBytes` is told of every piece
   * that arrives, `block.size` in all: where two carriers race, of the one that is further.
   */
  async fetchBlock(
    block: BlockRef,
    signal: AbortSignal,
    onBytes?: (count: number) => void,
    holder?: Holder,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (block.size > BLOCK_MAX) throw new CarrierError(`a block of ${block.size} bytes is too large`);
    const carriers = this.#ways(holder);
    await this.#headStart(carriers, signal);
    await this.#turn(carriers, block, signal, holder);
    try {
      return await new Race(block, signal, this.#race(carriers, block, holder), onBytes).run();
    } finally {
      this.#underWay--;
      this.#waiting.shift()?.();
    }
  }

  /** Whom to ask, in order of preference. */
  #ways(holder: Holder | undefined): Carrier[] {
    if (!holder) return this.#carriers;
    return holder.own ? [...this.#carriers, ...holder.friends] : [...holder.friends, ...this.#carriers];
  }

  /** Waits for a better carrier that is opening: most are there before a slower one would have helped. */
  async #headStart(carriers: Carrier[], signal: AbortSignal): Promise<void> {
    for (let left = this.#worthWaiting(carriers); left > 0; left = this.#worthWaiting(carriers)) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const stops = carriers.map((carrier) => carrier.onChange(() => done()));
        const cancel = this.#clock.after(left, () => done());
        const done = () => {
          cancel();
          stops.forEach((stop) => stop());
          signal.removeEventListener('abort', done);
          resolve();
        };
        signal.addEventListener('abort', done, { once: true });
      });
    }
    signal.throwIfAborted();
  }

  /** Milliseconds that a carrier before the first ready one still has to open. */
  #worthWaiting(carriers: Carrier[]): number {
    const ready = carriers.findIndex((carrier) => carrier.ready);
    const better = carriers.slice(0, ready < 0 ? undefined : ready);
    const since = better.flatMap(({ openingSince }) => (openingSince === null ? [] : [openingSince]));
    return Math.max(0, ...since.map((began) => began + HEAD_START_MS - this.#clock.now()));
  }

  /** Waits until one more block may be under way. */
  async #turn(carriers: Carrier[], block: BlockRef, signal: AbortSignal, holder: Holder | undefined): Promise<void> {
    signal.throwIfAborted();
    const ready = carriers.filter((carrier) => carrier.ready);
    const together = this.#holding(ready, block, holder).reduce((sum, { parallel }) => sum + parallel, 0);
    const most = Math.max(...ready.map((carrier) => carrier.parallel), together, 1);
    if (this.#underWay >= most) {
      await new Promise<void>((resolve, reject) => {
        const go = () => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = () => {
          this.#waiting = this.#waiting.filter((other) => other !== go);
          reject(signal.reason);
        };
        this.#waiting.push(go);
        signal.addEventListener('abort', leave, { once: true });
      });
    }
    this.#underWay++;
  }

  #race(carriers: Carrier[], block: BlockRef, holder: Holder | undefined): RaceSurroundings {
    return {
      clock: this.#clock,
      stats: this.#stats,
      verify: this.#verify,
      next: (tried) => this.#next(carriers, block, tried, holder),
      sooner: (tried, ms) => this.#sooner(carriers, block, tried, ms, holder),
      target: (carrier, cid) => target(carrier, cid, holder),
      began: (carrier) => this.#spread.began(carrier),
      ended: (carrier, bytes) => this.#spread.ended(carrier, bytes),
      probe: (carrier) => this.#probe(carrier),
      silent: (carrier) => this.#silent(carrier),
      wrong: (carrier, cid) => this.#wrong(carrier, cid),
    };
  }

  /** The best carrier that was not tried yet: of nodes that have the block, the one whose turn it is. */
  #next(carriers: Carrier[], block: BlockRef, tried: Set<Carrier>, holder: Holder | undefined): Carrier | undefined {
    const left = carriers.filter((carrier) => carrier.ready && !tried.has(carrier));
    const inTurn = this.#spread.pick(this.#holding(left, block, holder), block.size, holder?.owner);
    return inTurn ?? left.find((carrier) => this.#good(carrier)) ?? left.find((carrier) => !this.#dropped(carrier));
  }

  /** Nodes that have the block for sure, each by the best way to it. The own one is nearer: it serves alone while it is quick. */
  #holding(carriers: Carrier[], block: BlockRef, holder: Holder | undefined): Carrier[] {
    if (!holder) return [];
    const good = carriers.filter((carrier) => this.#good(carrier));
    const friends = good.filter((carrier) => holder.friends.includes(carrier) && holder.has(carrier, block.cid));
    const own = holder.own ? good.find((carrier) => this.#carriers.includes(carrier)) : undefined;
    if (!own) return friends;
    return this.#spread.isPlenty(own) ? [own] : [own, ...friends];
  }

  /** Whether a node that has the block and was not tried yet would bring it in less than `ms`, as far as is known. */
  #sooner(carriers: Carrier[], block: BlockRef, tried: Set<Carrier>, ms: number, holder: Holder | undefined): boolean {
    const left = carriers.filter((carrier) => carrier.ready && !tried.has(carrier));
    return this.#holding(left, block, holder).some((carrier) => block.size / this.#spread.hope(carrier) < ms);
  }

  /** How a carrier has done so far; friends' come with their items. */
  #standingOf(carrier: Carrier): Standing {
    const known = this.#standing.get(carrier);
    if (known) return known;
    const fresh = { suspectAt: null, probedAt: -Infinity, droppedUntil: -Infinity };
    this.#standing.set(carrier, fresh);
    return fresh;
  }

  #dropped(carrier: Carrier): boolean {
    return this.#standingOf(carrier).droppedUntil > this.#clock.now();
  }

  #good(carrier: Carrier): boolean {
    const standing = this.#standingOf(carrier);
    if (this.#dropped(carrier)) return false;
    if (standing.suspectAt === null) return true;
    if (carrier.heardAt > standing.suspectAt) {
      standing.suspectAt = null;
      this.#stats.recovered(carrier.source);
      return true;
    }
    return false;
  }

  #probe(carrier: Carrier): void {
    const standing = this.#standingOf(carrier);
    const now = this.#clock.now();
    if (now - standing.probedAt < PROBE_MS) return;
    standing.probedAt = now;
    carrier.probe();
  }

  #silent(carrier: Carrier): void {
    const standing = this.#standingOf(carrier);
    if (standing.suspectAt !== null) return;
    standing.suspectAt = this.#clock.now();
    this.#probe(carrier);
  }

  #wrong(carrier: Carrier, cid: string): void {
    const standing = this.#standingOf(carrier);
    // The last way to the node is kept: its next answer is checked like any other.
    if (carrier !== this.#carriers.at(-1)) standing.droppedUntil = this.#clock.now() + DROPPED_MS;
    this.#stats.wrong(carrier.source, cid);
  }
}

interface RaceSurroundings {
  clock: Clock;
  stats: StatsStore;
  verify: (cid: string, bytes: Uint8Array<ArrayBuffer>) => Promise<boolean>;
  next: (tried: Set<Carrier>) => Carrier | undefined;
  sooner: (tried: Set<Carrier>, ms: number) => boolean;
  target: (carrier: Carrier, cid: string) => string;
  began: (carrier: Carrier) => void;
  ended: (carrier: Carrier, bytes: number) => void;
  probe: (carrier: Carrier) => void;
  silent: (carrier: Carrier) => void;
  wrong: (carrier: Carrier, cid: string) => void;
}

/** Whoever holds the file has the block by its name; an own node that does not asks friends' for a block of the item. */
function target(carrier: Carrier, cid: string, holder: Holder | undefined): string {
  const direct = !holder || holder.own || holder.friends.includes(carrier);
  return direct ? `/ipfs/${cid}?format=raw` : `/api/v1/items/${holder.item}/blocks/${cid}`;
}

/** Getting one block: usually one attempt, sometimes several that overlap. */
class Race {
  readonly #block: BlockRef;
  readonly #signal: AbortSignal;
  readonly #around: RaceSurroundings;
  readonly #tried = new Set<Carrier>();
  readonly #attempts = new Set<Attempt>();
  readonly #startedAt: number;
  readonly #onBytes: (count: number) => void;
  #told = 0;
  #resolve!: (bytes: Uint8Array<ArrayBuffer>) => void;
  #reject!: (reason: unknown) => void;
  #lastError: unknown = new CarrierError('there is no way to the node');
  #stopLooking: (() => void) | undefined;
  #over = false;

  constructor(block: BlockRef, signal: AbortSignal, around: RaceSurroundings, onBytes?: (count: number) => void) {
    this.#block = block;
    this.#signal = signal;
    this.#around = around;
    this.#onBytes = onBytes ?? (() => {});
    this.#startedAt = around.clock.now();
  }

  run(): Promise<Uint8Array<ArrayBuffer>> {
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#finish(() => reject(this.#signal.reason));
      this.#resolve = (bytes) => this.#finish(() => resolve(bytes));
      this.#reject = (reason) => this.#finish(() => reject(reason));
      this.#signal.addEventListener('abort', onAbort, { once: true });
      this.#cleanUp = () => this.#signal.removeEventListener('abort', onAbort);
      this.#start();
      this.#look();
    });
  }

  #cleanUp = () => {};

  #finish(settle: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopLooking?.();
    this.#cleanUp();
    for (const { abort } of this.#attempts) abort.abort();
    settle();
  }

  /** Asks the next carrier; false if there is none. */
  #start(): boolean {
    const carrier = this.#around.next(this.#tried);
    if (!carrier) {
      if (this.#attempts.size === 0) this.#reject(this.#lastError);
      return false;
    }
    this.#tried.add(carrier);
    const now = this.#around.clock.now();
    const times = { startedAt: now, movedAt: now, aliveAt: now };
    const attempt = { carrier, abort: new AbortController(), ...times, received: 0, hedged: false };
    this.#attempts.add(attempt);
    void this.#ask(attempt);
    return true;
  }

  async #ask(attempt: Attempt): Promise<void> {
    const { carrier, abort } = attempt;
    this.#around.began(carrier);
    try {
      const answer = await carrier.request({
        target: this.#around.target(carrier, this.#block.cid),
        headers: [['accept', 'application/vnd.ipld.raw']],
        sizeMax: this.#block.size,
        signal: abort.signal,
        onBytes: (count) => this.#moved(attempt, count),
        onAlive: () => (attempt.aliveAt = this.#around.clock.now()),
      });
      if (answer.status !== 200) throw new CarrierError(`the node answered ${answer.status}`);
      const right = await this.#around.verify(this.#block.cid, answer.body);
      if (this.#over) return;
      if (!right) {
        this.#around.wrong(carrier, this.#block.cid);
        throw new CarrierError(`wrong bytes came for ${this.#block.cid}`);
      }
      const ms = this.#around.clock.now() - this.#startedAt;
      this.#around.stats.verified(carrier, this.#block.cid, answer.body.length, ms);
      this.#tell(answer.body.length);
      this.#resolve(answer.body);
    } catch (error) {
      if (!this.#over) this.#lost(attempt, error);
    } finally {
      this.#around.ended(carrier, attempt.received);
    }
  }

  #moved(attempt: Attempt, count: number): void {
    attempt.movedAt = this.#around.clock.now();
    attempt.received += count;
    if (!this.#over) this.#tell(Math.min(attempt.received, this.#block.size));
  }

  /** Of `so far` bytes, what was not told yet. */
  #tell(soFar: number): void {
    if (soFar <= this.#told) return;
    this.#onBytes(soFar - this.#told);
    this.#told = soFar;
  }

  #lost(attempt: Attempt, error: unknown): void {
    this.#attempts.delete(attempt);
    this.#lastError = error;
    this.#around.stats.failed();
    this.#join(attempt, String(error));
  }

  /** Lets another carrier join because of `attempt`. */
  #join(attempt: Attempt, reason: string): void {
    const before = new Set(this.#tried);
    if (attempt.hedged || !this.#start()) {
      if (this.#attempts.size === 0) this.#reject(this.#lastError);
      return;
    }
    attempt.hedged = true;
    const joined = [...this.#tried].find((carrier) => !before.has(carrier));
    if (joined) this.#around.stats.fallback(attempt.carrier.source, joined.source, reason);
  }

  /** Looks now and then whether an attempt stands still. */
  #look(): void {
    if (this.#over) return;
    const due = this.#around.clock.now() + LOOK_MS;
    this.#stopLooking = this.#around.clock.after(LOOK_MS, () => {
      const now = this.#around.clock.now();
      if (now - due > LATE_MS) return this.#look();
      for (const attempt of [...this.#attempts]) this.#watch(attempt, now);
      this.#look();
    });
  }

  #watch(attempt: Attempt, now: number): void {
    const { carrier, movedAt, aliveAt } = attempt;
    if (attempt.hedged) return;
    if (carrier.source === 'https') return;
    const silence = this.#around.sooner(this.#tried, Infinity) ? COVERED_SILENCE_MS : SILENCE_MS;
    const patience = silence + (carrier.roundTripMs ?? 0);
    const quiet = now - Math.max(movedAt, aliveAt);
    if (!carrier.ready || quiet >= patience) {
      this.#around.silent(carrier);
      this.#join(attempt, 'it is silent');
    } else if (now - movedAt >= STALL_MS) {
      this.#join(attempt, 'it stands still');
    } else if (this.#isSlow(attempt, now)) {
      this.#join(attempt, 'it is slow');
    } else if (quiet >= silence / 2) {
      // The node may only be slow to answer: a sign of life tells a quiet connection from a dead one.
      this.#around.probe(carrier);
    }
  }

  /** Another node would be done before it. */
  #isSlow({ startedAt, received }: Attempt, now: number): boolean {
    const taken = now - startedAt;
    if (taken < SLOW_MS) return false;
    const left = (this.#block.size - received) * (taken / Math.max(received, 1));
    return this.#around.sooner(this.#tried, left);
  }
}

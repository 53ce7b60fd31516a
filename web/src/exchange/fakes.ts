/** A clock and carriers that tests move by hand. */
import { CarrierError, type Carrier, type CarrierAnswer, type CarrierRequest, type Source } from './carrier.ts';
import type { Clock } from './clock.ts';

export class FakeClock implements Clock {
  #now = 0;
  #timers: { at: number; work: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, work: () => void): () => void {
    const timer = { at: this.#now + ms, work };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  /** Lets `ms` pass, timer by timer, with everything that follows from each. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.work();
    }
    this.#now = end;
    await settled();
  }
}

/** Everything that was promised by now has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  await new Promise<void>((resolve) => setImmediate(resolve));
}

interface Asked {
  request: CarrierRequest;
  resolve: (answer: CarrierAnswer) => void;
  reject: (reason: unknown) => void;
}

export class FakeCarrier implements Carrier {
  ready = true;
  openingSince: number | null = null;
  heardAt = 0;
  roundTripMs: number | null = null;
  parallel = 4;
  probes = 0;
  /** Requests that wait for the test's answer, oldest first. */
  asked: Asked[] = [];
  /** Answers at once, when set. */
  answer: ((request: CarrierRequest) => Uint8Array<ArrayBuffer> | undefined) | undefined;
  #listeners = new Set<() => void>();

  constructor(
    readonly source: Source,
    readonly clock: FakeClock,
  ) {}

  request(request: CarrierRequest): Promise<CarrierAnswer> {
    const body = this.answer?.(request);
    if (body) return Promise.resolve({ status: 200, headers: [], body });
    return new Promise((resolve, reject) => {
      this.asked.push({ request, resolve, reject });
      request.signal.addEventListener('abort', () => reject(request.signal.reason));
    });
  }

  /** Answers the oldest request. */
  reply(body: Uint8Array<ArrayBuffer>, status = 200): void {
    this.heard();
    this.asked.shift()?.resolve({ status, headers: [], body });
  }

  /** The oldest request moves on by `count` bytes. */
  move(count: number): void {
    this.heard();
    this.asked[0]?.request.onBytes?.(count);
  }

  /** Something else arrives on the connection. */
  heard(): void {
    this.heardAt = this.clock.now();
    for (const { request } of this.asked) request.onAlive?.();
  }

  /** Breaks off. */
  die(): void {
    this.ready = false;
    for (const { reject } of this.asked.splice(0)) reject(new CarrierError('it closed'));
    for (const listener of this.#listeners) listener();
  }

  probe(): void {
    this.probes++;
  }
  /** Tells those who listen that `ready` may have changed. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  close(): void {
    this.die();
  }
}

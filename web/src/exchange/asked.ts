/** Questions to the node that several may wait for, and other nodes' answers to the same. */
import type { Clock } from './clock.ts';

/** Fetches JSON from the native API; `path` is below `/api/v1`. */
export type Api = (path: string, signal?: AbortSignal) => Promise<unknown>;

/** Asks other holders of an item for what is `below` it; null where there are none. */
export type Elsewhere = <T>(item: string, below: string, signal: AbortSignal) => Promise<T> | null;

/** The own node is believed first; others count when it has not answered within this. */
export const HEDGE_MS = 150;

/** A question and those who wait for its answer: the last one to leave takes it back. */
export class Asked<T> {
  readonly answer: Promise<T>;
  /** Kept even when nobody waits: it was asked ahead. */
  keep = false;
  readonly #abort = new AbortController();
  readonly #forget: (asked: Asked<T>) => void;
  #waiting = 0;
  #settled = false;

  /** `forget` makes it unknown, so that the next one asks anew: nobody waits any more, or there is no answer. */
  constructor(ask: (signal: AbortSignal) => Promise<T>, forget: (asked: Asked<T>) => void) {
    this.#forget = forget;
    this.answer = ask(this.#abort.signal);
    this.answer.then(
      () => (this.#settled = true),
      () => {
        this.#settled = true;
        forget(this);
      },
    );
  }

  /** The answer, or the signal's reason. */
  wait(signal?: AbortSignal): Promise<T> {
    this.#waiting++;
    return new Promise((resolve, reject) => {
      let here = true;
      const leave = () => {
        signal?.removeEventListener('abort', onAbort);
        if (here) this.#waiting--;
        here = false;
      };
      const onAbort = () => {
        leave();
        reject(signal?.reason);
        this.#takeBack(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.answer.then(
        (answer) => (leave(), resolve(answer)),
        (error: unknown) => (leave(), reject(error)),
      );
    });
  }

  #takeBack(reason: unknown): void {
    if (this.#waiting > 0 || this.#settled || this.keep) return;
    this.#forget(this);
    this.#abort.abort(reason);
  }
}

/** The own node's answer; others', where it fails or does not come soon. */
export async function hedged<T>(told: Promise<T>, others: Promise<T>, clock: Clock): Promise<T> {
  const soon = new Promise<void>((resolve) => clock.after(HEDGE_MS, resolve));
  const turn = Promise.race([told.then(() => {}).catch(() => {}), soon]);
  const later = turn.then(() => others);
  return Promise.any([told, later]).catch(() => told);
}

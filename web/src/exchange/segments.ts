/**
 * What a rendition's segments are made of: a window of the node's list, fetched ahead of the player.
 *
 * Segments of a copied rendition are listed in an instant, so windows are asked for ahead. Those of a transcoded one
 * are made when they are asked for: the node answers with the first and those that are ready, which may be fewer than
 * asked; nothing is asked ahead, because that would take power from the one that is waited for; and a question that
 * nobody waits for any more is taken back.
 *
 * What is copied is the same on every node that holds the file. The others are asked as well: they then have those blocks
 * ready, and their answer counts where the own node's does not come.
 */
import { realClock, type Clock } from './clock.ts';
import type { Span } from './holders.ts';
import type { Content } from './planner.ts';

/** Fetches JSON from the native API; `path` is below `/api/v1`. */
export type Api = (path: string, signal?: AbortSignal) => Promise<unknown>;

/** Asks other holders for a window of a copied rendition; null where there are none. */
export type Elsewhere = (span: Span, signal: AbortSignal) => Promise<Segment[]> | null;

/** One segment as `GET .../segments` lists it. */
export interface Segment extends Content {
  n: number;
  start: number;
  duration: number;
  /** `copy`, or who encoded it. */
  encoder?: string;
  sources: string[];
}

/** A rendition as `GET .../renditions` lists it: what is said of it here is what the loader has to know. */
export interface Rendition {
  id: string;
  method?: 'copy' | 'transcode';
  segments: number;
  /** Absent of transcoded ones until it is asked for. */
  init?: Content | null;
}

/** The answer of `GET .../renditions`. */
export interface Renditions {
  renditions: Rendition[];
}

/** A question to the node and those who wait for its answer. */
interface Asked {
  list: Promise<Segment[]>;
  abort: AbortController;
  waiting: number;
  settled: boolean;
  /** Kept even when nobody waits: it was asked ahead. */
  keep: boolean;
  /** Makes it unknown, so that the next one asks anew. */
  forget: () => void;
}

/** Segments asked for at once: few at first and after a jump, because a player waits for the answer. */
const FIRST = 2;
const WINDOW = 4;
/** The next window is asked for when fewer than this many segments are known ahead. */
const AHEAD = 3;
/** The own node is believed first; others count when it has not answered within this. */
export const HEDGE_MS = 150;

export class Segments {
  readonly #api: Api;
  readonly #elsewhere: Elsewhere;
  readonly #clock: Clock;
  readonly #queries = new Map<string, string>();
  readonly #renditions = new Map<string, Promise<Renditions>>();
  readonly #inits = new Map<string, Promise<Content>>();
  readonly #windows = new Map<string, Map<number, Asked>>();

  constructor(api: Api, elsewhere: Elsewhere = () => null, clock: Clock = realClock) {
    this.#api = api;
    this.#elsewhere = elsewhere;
    this.#clock = clock;
  }

  /** What the client can play, as a query without `?`: it decides which renditions an item has. */
  setQuery(item: string, query: string): void {
    if ((this.#queries.get(item) ?? '') === query) return;
    this.#queries.set(item, query);
    this.#renditions.delete(item);
  }

  /** All renditions of an item for this client. */
  renditions(item: string): Promise<Renditions> {
    return this.#renditions.get(item) ?? this.#askRenditions(item);
  }

  /** The initialisation section of a rendition. */
  async init(item: string, rendition: string): Promise<Content> {
    const known = await this.#rendition(item, rendition);
    if (known.init) return known.init;
    const key = `${item}/${rendition}`;
    const asked = this.#inits.get(key) ?? this.#askInit(item, rendition, key);
    return asked;
  }

  /** Segment `n` of a rendition. */
  async segment(item: string, rendition: string, n: number, signal?: AbortSignal): Promise<Segment> {
    const { method, segments } = await this.#rendition(item, rendition);
    signal?.throwIfAborted();
    const known = this.#window(item, rendition);
    const copied = method !== 'transcode';
    const before = known.get(n);
    const count = known.has(n - 1) ? WINDOW : FIRST;
    const wanted = this.#wait(before ?? this.#ask({ item, rendition, from: n, count }, copied), signal);
    if (copied) void this.#ahead(item, rendition, n, segments).catch(() => {});
    const found = (await wanted).find((segment) => segment.n === n);
    if (found) return found;
    // The window that should have had it was answered shorter than asked.
    this.#forget(known, n, before);
    if (!before || n >= segments) throw new Error(`there is no segment ${n}`);
    return this.segment(item, rendition, n, signal);
  }

  /** Its blocks could not be had: the next question goes to the node, which may have made it anew. */
  forget(item: string, rendition: string, n: number | 'init'): void {
    if (n === 'init') {
      this.#inits.delete(`${item}/${rendition}`);
      this.#renditions.delete(item);
    } else this.#window(item, rendition).delete(n);
  }

  async #ahead(item: string, rendition: string, n: number, segments: number): Promise<void> {
    const known = this.#window(item, rendition);
    let next = n + 1;
    while (known.has(next)) next++;
    if (next < segments && next - n <= AHEAD) {
      const asked = this.#ask({ item, rendition, from: next, count: WINDOW }, true);
      asked.keep = true;
      await asked.list;
    }
  }

  #window(item: string, rendition: string): Map<number, Asked> {
    const key = `${item}/${rendition}`;
    const window = this.#windows.get(key) ?? new Map<number, Asked>();
    this.#windows.set(key, window);
    return window;
  }

  async #rendition(item: string, rendition: string): Promise<Rendition> {
    const found = (await this.renditions(item)).renditions.find(({ id }) => id === rendition);
    if (found) return found;
    this.#renditions.delete(item);
    throw new Error(`there is no rendition ${rendition}`);
  }

  #askRenditions(item: string): Promise<Renditions> {
    const query = this.#queries.get(item);
    const asked = this.#api(`/items/${item}/renditions${query ? `?${query}` : ''}`) as Promise<Renditions>;
    this.#renditions.set(item, asked);
    asked.catch(() => {
      if (this.#renditions.get(item) === asked) this.#renditions.delete(item);
    });
    return asked;
  }

  #askInit(item: string, rendition: string, key: string): Promise<Content> {
    const asked = this.#api(`/items/${item}/renditions/${rendition}/init`) as Promise<Content>;
    this.#inits.set(key, asked);
    asked.catch(() => this.#inits.delete(key));
    return asked;
  }

  /** Asks for `count` segments from `n` on; every one of them can be waited for at once. */
  #ask(span: Span, copied: boolean): Asked {
    const { item, rendition, from, count } = span;
    const known = this.#window(item, rendition);
    const abort = new AbortController();
    const path = `/items/${item}/renditions/${rendition}/segments?from=${from}&count=${count}`;
    const told = this.#api(path, abort.signal).then((answer) => answer as Segment[]);
    const others = copied ? this.#elsewhere(span, abort.signal) : null;
    // So that the next ones are ready there when this node names them.
    const next = { ...span, from: from + count, count: WINDOW };
    others?.then(() => this.#elsewhere(next, abort.signal)).catch(() => {});
    const list = others ? this.#hedged(told, others) : told;
    const places = Array.from({ length: count }, (_, at) => from + at).filter((at) => !known.has(at));
    // A failure is not kept: the player asks again.
    const forget = () => places.forEach((at) => this.#forget(known, at, asked));
    const asked: Asked = { list, abort, waiting: 0, settled: false, keep: false, forget };
    for (const at of places) known.set(at, asked);
    list.then(
      (segments) => {
        asked.settled = true;
        const there = new Set(segments.map((segment) => segment.n));
        for (const at of places) if (!there.has(at)) this.#forget(known, at, asked);
      },
      () => {
        asked.settled = true;
        forget();
      },
    );
    return asked;
  }

  /** The own node's answer; others', where it fails or does not come soon. */
  async #hedged(told: Promise<Segment[]>, others: Promise<Segment[]>): Promise<Segment[]> {
    const soon = new Promise<void>((resolve) => this.#clock.after(HEDGE_MS, resolve));
    const turn = Promise.race([told.then(() => {}).catch(() => {}), soon]);
    const later = turn.then(() => others);
    return Promise.any([told, later]).catch(() => told);
  }

  #forget(known: Map<number, Asked>, n: number, asked: Asked | undefined): void {
    if (known.get(n) === asked) known.delete(n);
  }

  /** The answer, or the signal's reason; the last one to leave takes the question back. */
  #wait(asked: Asked, signal: AbortSignal | undefined): Promise<Segment[]> {
    asked.waiting++;
    return new Promise((resolve, reject) => {
      let here = true;
      const leave = () => {
        signal?.removeEventListener('abort', onAbort);
        if (here) asked.waiting--;
        here = false;
      };
      const onAbort = () => {
        leave();
        reject(signal?.reason);
        if (asked.waiting > 0 || asked.settled || asked.keep) return;
        asked.forget();
        asked.abort.abort(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      asked.list.then(
        (segments) => (leave(), resolve(segments)),
        (error: unknown) => (leave(), reject(error)),
      );
    });
  }
}

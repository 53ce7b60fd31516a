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
import { Asked, hedged, type Api, type Elsewhere } from './asked.ts';
import { realClock, type Clock } from './clock.ts';
import type { Content } from './planner.ts';

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

/** A window of a rendition's segments. */
interface Span {
  item: string;
  rendition: string;
  from: number;
  count: number;
}

/** Segments asked for at once: few at first and after a jump, because a player waits for the answer. */
const FIRST = 2;
const WINDOW = 4;
/** The next window is asked for when fewer than this many segments are known ahead. */
const AHEAD = 3;

export class Segments {
  readonly #api: Api;
  readonly #elsewhere: Elsewhere;
  readonly #clock: Clock;
  readonly #queries = new Map<string, string>();
  readonly #renditions = new Map<string, Promise<Renditions>>();
  readonly #inits = new Map<string, Promise<Content>>();
  readonly #windows = new Map<string, Map<number, Asked<Segment[]>>>();

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
    const wanted = (before ?? this.#ask({ item, rendition, from: n, count }, copied)).wait(signal);
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
      await asked.answer;
    }
  }

  #window(item: string, rendition: string): Map<number, Asked<Segment[]>> {
    const key = `${item}/${rendition}`;
    const window = this.#windows.get(key) ?? new Map<number, Asked<Segment[]>>();
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
  #ask(span: Span, copied: boolean): Asked<Segment[]> {
    const { item, rendition, from, count } = span;
    const known = this.#window(item, rendition);
    const places = Array.from({ length: count }, (_, at) => from + at).filter((at) => !known.has(at));
    // A failure is not kept: the player asks again.
    const asked = new Asked<Segment[]>(
      (signal) => this.#list(span, copied, signal),
      (gone) => places.forEach((at) => this.#forget(known, at, gone)),
    );
    for (const at of places) known.set(at, asked);
    asked.answer
      .then((segments) => {
        const there = new Set(segments.map((segment) => segment.n));
        for (const at of places) if (!there.has(at)) this.#forget(known, at, asked);
      })
      .catch(() => {});
    return asked;
  }

  #list(span: Span, copied: boolean, signal: AbortSignal): Promise<Segment[]> {
    const { item, from, count } = span;
    const told = this.#api(`/items/${item}/${below(span)}`, signal) as Promise<Segment[]>;
    const others = copied ? this.#elsewhere<Segment[]>(item, below(span), signal) : null;
    if (!others) return told;
    // So that the next ones are ready there when this node names them.
    const next = below({ ...span, from: from + count, count: WINDOW });
    others.then(() => this.#elsewhere(item, next, signal)).catch(() => {});
    return hedged(told, others, this.#clock);
  }

  #forget(known: Map<number, Asked<Segment[]>>, n: number, asked: Asked<Segment[]> | undefined): void {
    if (known.get(n) === asked) known.delete(n);
  }
}

function below({ rendition, from, count }: Span): string {
  return `renditions/${rendition}/segments?from=${from}&count=${count}`;
}

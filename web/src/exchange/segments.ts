/** What a rendition's segments are made of: a window of the node's list, fetched ahead of the player. */
import type { Content } from './planner.ts';

/** Fetches JSON from the native API; `path` is below `/api/v1`. */
export type Api = (path: string, signal?: AbortSignal) => Promise<unknown>;

/** One segment as `GET .../segments` lists it. */
export interface Segment extends Content {
  n: number;
  start: number;
  duration: number;
  sources: string[];
}

interface Rendition {
  id: string;
  segments: number;
  init: Content;
}

/** Segments asked for at once: few at first, because a player waits for the answer. */
const FIRST = 2;
const WINDOW = 4;
/** The next window is asked for when fewer than this many segments are known ahead. */
const AHEAD = 3;

export class Segments {
  readonly #api: Api;
  readonly #renditions = new Map<string, Promise<Rendition[]>>();
  readonly #windows = new Map<string, Map<number, Promise<Segment>>>();

  constructor(api: Api) {
    this.#api = api;
  }

  /** The initialisation section of a rendition. */
  async init(item: string, rendition: string): Promise<Content> {
    return (await this.#rendition(item, rendition)).init;
  }

  /** Segment `n` of a rendition. */
  async segment(item: string, rendition: string, n: number): Promise<Segment> {
    const known = this.#window(item, rendition);
    const wanted = known.get(n) ?? this.#ask(item, rendition, n, known.size === 0 ? FIRST : WINDOW);
    void this.#ahead(item, rendition, n).catch(() => {});
    return wanted;
  }

  async #ahead(item: string, rendition: string, n: number): Promise<void> {
    const { segments } = await this.#rendition(item, rendition);
    const known = this.#window(item, rendition);
    let next = n + 1;
    while (known.has(next)) next++;
    if (next < segments && next - n <= AHEAD) await this.#ask(item, rendition, next, WINDOW);
  }

  #window(item: string, rendition: string): Map<number, Promise<Segment>> {
    const key = `${item}/${rendition}`;
    const window = this.#windows.get(key) ?? new Map<number, Promise<Segment>>();
    this.#windows.set(key, window);
    return window;
  }

  async #rendition(item: string, rendition: string): Promise<Rendition> {
    const asked = this.#renditions.get(item) ?? this.#askRenditions(item);
    const found = (await asked).find(({ id }) => id === rendition);
    if (!found) throw new Error(`there is no rendition ${rendition}`);
    return found;
  }

  #askRenditions(item: string): Promise<Rendition[]> {
    const asked = this.#api(`/items/${item}/renditions`).then((answer) => {
      return (answer as { renditions: Rendition[] }).renditions;
    });
    this.#renditions.set(item, asked);
    asked.catch(() => this.#renditions.delete(item));
    return asked;
  }

  /** Asks for `count` segments from `n` on; every one of them can be waited for at once. */
  #ask(item: string, rendition: string, n: number, count: number): Promise<Segment> {
    const known = this.#window(item, rendition);
    const asked = this.#api(`/items/${item}/renditions/${rendition}/segments?from=${n}&count=${count}`);
    const list = asked.then((answer) => answer as Segment[]);
    for (let at = n; at < n + count; at++) {
      if (known.has(at)) continue;
      const one = list.then((segments) => {
        const found = segments.find((segment) => segment.n === at);
        if (!found) throw new Error(`there is no segment ${at}`);
        return found;
      });
      known.set(at, one);
      // A failure is not kept: the player asks again.
      one.catch(() => known.delete(at));
    }
    return known.get(n) as Promise<Segment>;
  }
}

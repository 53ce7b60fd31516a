/**
 * What a book's pages are made of: windows of the node's list, as the reader comes to them.
 *
 * A page that is copied from an archive is named in an instant, so a few are asked for at once. One that has to be made is told
 * alone: the node answers with fewer than asked, and the next one is asked for when it is wanted. A question that nobody waits
 * for any more is taken back.
 *
 * A page has the same name on every node that holds the file: other holders are asked as well, as for segments.
 */
import { Asked, hedged, type Api, type Elsewhere } from './asked.ts';
import { realClock, type Clock } from './clock.ts';
import type { Content } from './planner.ts';

/** One page as `GET .../pages/blocks` lists it. */
export interface PageContent extends Content {
  /** From 1. */
  number: number;
  /** Media type. */
  type: string;
}

type Window = Map<number, Asked<PageContent[]>>;

/** Pages asked for at once: few at first and after a jump, because a reader waits for the answer. */
const FIRST = 2;
const WINDOW = 4;
/** Books whose pages are remembered. */
const BOOKS = 4;

export class Pages {
  readonly #api: Api;
  readonly #elsewhere: Elsewhere;
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor(api: Api, elsewhere: Elsewhere = () => null, clock: Clock = realClock) {
    this.#api = api;
    this.#elsewhere = elsewhere;
    this.#clock = clock;
  }

  /** A page as it is in the book, or made into a JPEG. */
  async page(item: string, number: number, converted: boolean, signal?: AbortSignal): Promise<PageContent> {
    const known = this.#window(item, converted);
    const before = known.get(number);
    const asked = before ?? this.#ask(item, number, converted, known);
    const found = (await asked.wait(signal)).find((page) => page.number === number);
    if (found) return found;
    // The window that should have had it was answered shorter than asked.
    forget(known, number, asked);
    if (!before) throw new Error(`there is no page ${number}`);
    return this.page(item, number, converted, signal);
  }

  /** Its blocks could not be had: the next question goes to the node, which may have made it anew. */
  forget(item: string, number: number, converted: boolean): void {
    this.#window(item, converted).delete(number);
  }

  #window(item: string, converted: boolean): Window {
    const key = `${item}/${converted}`;
    const window = this.#windows.get(key) ?? new Map<number, Asked<PageContent[]>>();
    // What was used last is remembered longest.
    this.#windows.delete(key);
    this.#windows.set(key, window);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > BOOKS && oldest !== undefined) this.#windows.delete(oldest);
    return window;
  }

  /** Asks for pages from `from` on; every one of them can be waited for at once. */
  #ask(item: string, from: number, converted: boolean, known: Window): Asked<PageContent[]> {
    const count = known.has(from - 1) ? WINDOW : FIRST;
    const places = Array.from({ length: count }, (_, at) => from + at).filter((at) => !known.has(at));
    const below = `pages/blocks?from=${from}&count=${count}${converted ? '&convert=jpeg' : ''}`;
    const asked = new Asked<PageContent[]>(
      (signal) => this.#list(item, below, signal),
      (gone) => places.forEach((at) => forget(known, at, gone)),
    );
    for (const at of places) known.set(at, asked);
    return asked;
  }

  #list(item: string, below: string, signal: AbortSignal): Promise<PageContent[]> {
    const told = this.#api(`/items/${item}/${below}`, signal) as Promise<PageContent[]>;
    const others = this.#elsewhere<PageContent[]>(item, below, signal);
    return others ? hedged(told, others, this.#clock) : told;
  }
}

function forget(known: Window, number: number, asked: Asked<PageContent[]>): void {
  if (known.get(number) === asked) known.delete(number);
}

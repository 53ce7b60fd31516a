/**
 * A long list of which only asked parts are known. The node gives pages by cursor, so a place in the middle is reached
 * from the nearest known place before it: an earlier page's end, or a letter, whose place follows from how many titles
 * come at or after it. Pure but for `ask`; knows nothing of views.
 *
 * Invariant: `total` is that of the first answer; `items[i]` is either absent or the item at place `i`.
 */
import type { ItemPage, ItemSummary } from '../../api/types';

export interface PageRequest {
  cursor?: string;
  from?: string;
  limit: number;
}

export type Ask = (request: PageRequest, signal: AbortSignal) => Promise<ItemPage>;

export const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

const PAGE = 100;
/** Pages fetched only to reach a place further on. */
const STRIDE = 500;
/** Below this many titles a walk from the start is as quick as asking for letters. */
const LETTERS_FROM = 2000;

interface Anchor {
  place: number;
  request: { cursor?: string; from?: string };
}

export class SparseList {
  total: number | null = null;
  readonly items = new Map<number, ItemSummary>();

  private anchors: Anchor[] = [{ place: 0, request: {} }];
  private letters = new Map<string, number>();
  private walk: AbortController | null = null;
  private wanted: [number, number] = [0, PAGE];

  constructor(
    private readonly ask: Ask,
    /** Sorted by title, so that letters lead somewhere. */
    private readonly byTitle: boolean,
    private readonly changed: () => void,
  ) {}

  /** Sees to it that places `start..end` become known. Resolves when they are, or when others are wanted instead. */
  async want(start: number, end: number): Promise<void> {
    const wanted: [number, number] = [start, Math.min(end, this.total ?? end)];
    this.wanted = wanted;
    this.walk?.abort();
    const walk = new AbortController();
    this.walk = walk;
    while (!walk.signal.aborted) {
      const gap = this.firstGap();
      if (gap === null) return;
      if (!(await this.approach(gap, walk.signal))) return;
    }
  }

  /** The place of the first title at or after a letter. */
  async placeOf(letter: string, signal: AbortSignal): Promise<number> {
    const known = this.letters.get(letter);
    if (known !== undefined) return known;
    const page = await this.ask({ from: letter, limit: 1 }, signal);
    const place = Math.max(0, (this.total ?? 0) - (page.total ?? 0));
    this.letters.set(letter, place);
    this.anchor({ place, request: { from: letter } });
    return place;
  }

  stop(): void {
    this.walk?.abort();
  }

  private firstGap(): number | null {
    const [start, end] = this.wanted;
    const last = Math.min(end, this.total ?? end);
    for (let place = start; place < last; place += 1) if (!this.items.has(place)) return place;
    return this.total === null ? 0 : null;
  }

  /** One page nearer to `place`. False where it leads nowhere. */
  private async approach(place: number, signal: AbortSignal): Promise<boolean> {
    if (this.byTitle && (this.total ?? 0) > LETTERS_FROM && place - this.before(place).place > STRIDE) {
      await this.nearLetter(place, signal);
    }
    const anchor = this.before(place);
    const limit = place - anchor.place >= PAGE ? STRIDE : PAGE;
    const page = await this.ask({ ...anchor.request, limit }, signal);
    if (signal.aborted) return false;
    if (anchor.place === 0 && page.total !== null && page.total !== undefined) this.total = page.total;
    page.items.forEach((item, i) => this.items.set(anchor.place + i, item));
    const end = anchor.place + page.items.length;
    if (page.next) this.anchor({ place: end, request: { cursor: page.next } });
    else this.total = Math.min(this.total ?? end, end);
    this.changed();
    return page.items.length > 0;
  }

  /** Makes the last letter that begins at or before `place` known, by halves. */
  private async nearLetter(place: number, signal: AbortSignal): Promise<void> {
    let [low, high] = [0, LETTERS.length];
    while (low < high && !signal.aborted) {
      const middle = (low + high) >> 1;
      if ((await this.placeOf(LETTERS[middle]!, signal)) <= place) low = middle + 1;
      else high = middle;
    }
  }

  private before(place: number): Anchor {
    let best = this.anchors[0]!;
    for (const anchor of this.anchors) if (anchor.place <= place && anchor.place > best.place) best = anchor;
    return best;
  }

  private anchor(anchor: Anchor): void {
    if (!this.anchors.some((known) => known.place === anchor.place)) this.anchors.push(anchor);
  }
}

/**
 * A book as it is being read: which page, in which manner. Views show it and tell it the sizes of pages as they learn
 * them; what a person chooses is kept for the series.
 */
import type { BookPage, BookPages } from '../../api/types';
import { keepManner, mannerOf, type Manner, type Mode } from './preferences';
import { fromLeft, spreadAt, spreadsOf, type PageSize } from './spreads';
import type { Fit } from './strip';

export class Reading {
  /** The page in view; of two, the first. */
  page = $state(1);
  /** One went on from the last page. */
  ended = $state(false);
  mode: Mode = $state('single');
  direction: 'ltr' | 'rtl' = $state('ltr');
  fit: Fit = $state('screen');
  /** Of pages under each other. */
  zoom = $state(1);
  /** Grows when somebody went to a page other than by scrolling there. */
  jumps = $state(0);
  /** The last turn led back. */
  backwards = $state(false);

  private known: PageSize[] = $state.raw([]);

  readonly strip = $derived(this.mode === 'vertical' || this.mode === 'webtoon');
  private readonly spreads = $derived(spreadsOf(this.known, this.mode === 'double'));
  private readonly place = $derived(spreadAt(this.spreads, this.page));
  /** Pages in view, in reading order. */
  readonly shown: number[] = $derived(this.strip ? [this.page] : (this.spreads[this.place] ?? [this.page]));
  /** The same as they lie, from the left. */
  readonly table: number[] = $derived(fromLeft(this.shown, this.direction));

  constructor(
    private readonly series: string,
    readonly book: BookPages,
    start: number,
  ) {
    Object.assign(this, mannerOf(series, book.direction ?? null));
    this.known = book.pages.map(({ width = null, height = null }) => ({ width, height }));
    this.page = start;
  }

  get pages(): BookPage[] {
    return this.book.pages;
  }

  get sizes(): PageSize[] {
    return this.known;
  }

  get count(): number {
    return this.book.pages.length;
  }

  /** The furthest page in view. */
  get last(): number {
    return this.shown.at(-1) ?? this.page;
  }

  /** To the next pages or the ones before; beyond the last, the book has ended. */
  turn(by: 1 | -1): void {
    if (this.ended && by < 0) {
      this.ended = false;
      this.jumps += 1;
      return;
    }
    const first = this.shown[0] ?? this.page;
    const target = by > 0 ? this.last + 1 : this.strip ? first - 1 : (this.spreads[this.place - 1]?.[0] ?? 0);
    if (target < 1) return;
    this.backwards = by < 0;
    if (target > this.count) this.ended = true;
    else this.show(target);
  }

  go(page: number): void {
    this.backwards = false;
    this.show(Math.min(this.count, Math.max(1, page)));
  }

  /** One scrolled here. */
  passed(page: number): void {
    this.page = page;
    this.ended = false;
  }

  /** A page is as large as this, which the node did not know. */
  learn(page: number, width: number, height: number): void {
    const known = this.known[page - 1];
    if (!known || width <= 0 || height <= 0 || (known.width !== null && known.height !== null)) return;
    this.known = this.known.with(page - 1, { width, height });
  }

  choose(chosen: Partial<Manner>): void {
    // Where two pages are shown, either may be asked for; on the way to another manner the first counts.
    const page = this.shown[0] ?? this.page;
    Object.assign(this, chosen);
    keepManner(this.series, chosen);
    this.page = page;
    this.zoom = 1;
    this.backwards = false;
    this.jumps += 1;
  }

  private show(page: number): void {
    this.ended = false;
    this.page = page;
    this.jumps += 1;
  }
}

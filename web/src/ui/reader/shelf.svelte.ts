/**
 * The pages at hand, as pictures in memory. What is wanted is fetched, most urgent first and few at once; what is not
 * wanted any more is given up, save for a few that somebody may turn back to. Its size never depends on the book's.
 */
import { SvelteMap } from 'svelte/reactivity';
import type { BookPage } from '../../api/types';
import { isShown, type PageSource } from './source';

export type PageState =
  | { is: 'waiting' }
  | { is: 'loading'; converted: boolean }
  /** `url` is of the picture in memory; given back when the page leaves the shelf. */
  | { is: 'there'; url: string; converted: boolean }
  | { is: 'failed'; error: unknown };

/** Requests at once: browsers keep six to a host over HTTP/1.1. */
const PARALLEL = 3;
/** Pages kept though they are not wanted now. */
const SPARE = 8;

export class Shelf {
  /** By page number. */
  private readonly held = new SvelteMap<number, PageState>();
  private readonly aborts = new Map<number, AbortController>();
  private readonly foreign = new Set<number>();
  private wanted: number[] = [];
  /** Numbers in the order they were wanted last. */
  private order: number[] = [];

  constructor(
    private readonly pages: readonly BookPage[],
    private readonly load: PageSource,
  ) {
    for (const page of pages) if (!isShown(page)) this.foreign.add(page.number);
  }

  get(page: number): PageState {
    return this.held.get(page) ?? { is: 'waiting' };
  }

  /** Has these pages at hand, the first soonest; others are given up. */
  want(numbers: readonly number[]): void {
    this.wanted = [...numbers];
    const wanted = new Set(numbers);
    this.order = [...this.order.filter((number) => !wanted.has(number)), ...numbers.toReversed()];
    const spare = this.order.slice(0, -numbers.length || undefined).filter((number) => !wanted.has(number));
    const leaving = spare.filter((number, i) => i < spare.length - SPARE || this.get(number).is !== 'there');
    for (const number of leaving) this.drop(number);
    this.fetchMore();
  }

  /** Asks once more for a page that failed. */
  retry(number: number): void {
    this.drop(number);
    this.fetchMore();
  }

  /** The browser could not show what came: the node is asked to convert it, once. */
  unreadable(number: number): void {
    const state = this.get(number);
    if (state.is !== 'there') return;
    const { converted } = state;
    this.drop(number);
    if (converted) this.held.set(number, { is: 'failed', error: null });
    else this.foreign.add(number);
    this.fetchMore();
  }

  /** Gives everything back. */
  close(): void {
    this.wanted = [];
    for (const number of [...this.held.keys()]) this.drop(number);
  }

  private fetchMore(): void {
    for (const number of this.wanted) {
      if (this.aborts.size >= PARALLEL) return;
      const page = this.pages[number - 1];
      if (page && !this.held.has(number)) void this.fetch(page);
    }
  }

  private async fetch(page: BookPage): Promise<void> {
    const { number } = page;
    const abort = new AbortController();
    const converted = this.foreign.has(number);
    this.aborts.set(number, abort);
    this.held.set(number, { is: 'loading', converted });
    try {
      const picture = await this.load(page, converted, abort.signal);
      if (abort.signal.aborted) return;
      this.held.set(number, { is: 'there', url: URL.createObjectURL(picture), converted });
    } catch (error) {
      if (abort.signal.aborted) return;
      this.held.set(number, { is: 'failed', error });
    }
    this.aborts.delete(number);
    this.fetchMore();
  }

  private drop(number: number): void {
    const state = this.get(number);
    if (state.is === 'there') URL.revokeObjectURL(state.url);
    this.aborts.get(number)?.abort();
    this.aborts.delete(number);
    this.held.delete(number);
    if (!this.wanted.includes(number)) this.order = this.order.filter((one) => one !== number);
  }
}

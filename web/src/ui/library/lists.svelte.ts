/**
 * The lists one has looked at, kept so that Back shows them at once and where one was. A list is asked again in the
 * background when the node says that something changed.
 */
import { api, queryString, type ItemQuery } from '../../api/client';
import { SparseList } from './sparse';

const KEPT = 8;

export class ListView {
  /** Grows with every answer; read it to follow `list`. */
  version = $state(0);
  error: unknown = $state.raw(null);
  private list: SparseList;
  private window: [number, number] = [0, 60];
  private seen: number;

  constructor(
    private readonly query: ItemQuery,
    changes: number,
    private readonly byTitle: boolean,
  ) {
    this.seen = changes;
    this.list = this.fresh();
  }

  get total(): number | null {
    void this.version;
    return this.list.total;
  }

  get items(): SparseList['items'] {
    void this.version;
    return this.list.items;
  }

  want(start: number, end: number): void {
    this.window = [start, end];
    this.run(this.list);
  }

  placeOf(letter: string): Promise<number> {
    return this.list.placeOf(letter, new AbortController().signal);
  }

  /** Asks again what is in view if anything changed since. */
  refresh(changes: number): void {
    if (changes === this.seen) return;
    this.seen = changes;
    this.again();
  }

  /** Asks again what is in view; what is shown stays until the answer is there. */
  again(): void {
    const list = this.fresh();
    this.run(list, () => {
      this.list.stop();
      this.list = list;
      this.version += 1;
    });
  }

  retry(): void {
    this.error = null;
    this.run(this.list);
  }

  /** Changes an item that is shown, before the node is asked. */
  stop(): void {
    this.list.stop();
  }

  private fresh(): SparseList {
    const list: SparseList = new SparseList(
      (page, signal) => api.items({ ...this.query, ...page }, signal),
      this.byTitle,
      () => {
        if (list === this.list) this.version += 1;
      },
    );
    return list;
  }

  private run(list: SparseList, then?: () => void): void {
    list.want(...this.window).then(
      () => {
        this.error = null;
        then?.();
      },
      (error: unknown) => {
        if ((error as Error).name !== 'AbortError') this.error = error;
      },
    );
  }
}

const views = new Map<string, ListView>();

/** The list for a query, the same object while it is remembered. `byTitle`: letters lead into it. */
export function listFor(query: ItemQuery, changes: number, byTitle = (query.sort ?? 'title') === 'title'): ListView {
  const key = queryString(query);
  const view = views.get(key) ?? new ListView(query, changes, byTitle);
  views.delete(key);
  views.set(key, view);
  for (const old of views.keys()) {
    if (views.size <= KEPT) break;
    views.delete(old);
  }
  return view;
}

/** Somebody else may sign in. */
export function forgetLists(): void {
  views.clear();
}

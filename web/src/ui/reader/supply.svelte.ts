/** Joins the exchange for a book, and remembers how each of its pages came. */
import { SvelteMap } from 'svelte/reactivity';
import type { ItemDetail } from '../../api/types';
import { Meter, type Source } from '../supply/meter';
import { hold, join } from '../supply/shared';
import { bookFile, pageSource, type PageSource } from './source';

/** Who gave most of a page, and its name; without one it came by its address and was not verified. */
export interface Origin {
  source: Source;
  cid: string | null;
}

export class BookSupply extends Meter {
  readonly source: PageSource;
  private readonly origins = new SvelteMap<number, Origin>();

  constructor(private readonly item: ItemDetail) {
    const exchange = join();
    super(exchange);
    hold(exchange, item);
    this.source = pageSource(item.id, exchange, (page, content) => {
      const origin = content && { source: this.mostOf(content.blocks), cid: content.cid };
      this.origins.set(page, origin ?? { source: 'https', cid: null });
    });
  }

  /** The whole book, as its file is. */
  file(signal: AbortSignal): Promise<Blob> {
    const { id, cid, size, files } = this.item;
    return bookFile({ item: id, cid: files[0]?.cid ?? cid ?? '', size: size ?? 0 }, this.exchange, signal);
  }

  originOf(page: number): Origin | undefined {
    return this.origins.get(page);
  }
}

declare global {
  interface Window {
    /** As on the player's page; see docs/develop.md. */
    __potluckBook?: BookSupply;
  }
}

/** Shows it to tests and to whoever looks into a problem, until the returned function is called. */
export function expose(supply: BookSupply): () => void {
  window.__potluckBook = supply;
  return () => {
    if (window.__potluckBook === supply) delete window.__potluckBook;
  };
}

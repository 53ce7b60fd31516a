/**
 * Where pages and books come from: the one place that knows. A page comes as verified blocks, over WebRTC where that works, and by
 * its address over HTTPS where its blocks cannot be had: from a node that does not name pages, or not this one now.
 */
import { address, api } from '../../api/client';
import type { BookPage } from '../../api/types';
import type { Exchange } from '../../exchange';
import { contentOf, type WholeFile } from '../../exchange/files';

/** What every browser that runs this page shows. */
const SHOWN = ['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif', 'image/svg+xml', 'image/bmp'];
/** Of those, what can run nothing when its picture is opened by itself. */
const HARMLESS = SHOWN.filter((type) => type !== 'image/svg+xml');

export function isShown(page: BookPage): boolean {
  return SHOWN.includes(page.type);
}

export type PageSource = (page: BookPage, converted: boolean, signal: AbortSignal) => Promise<Blob>;

/** Is told how a page came: what it is made of, or null where it was not verified. */
export type Arrived = (page: number, content: { cid: string; blocks: { cid: string; size: number }[] } | null) => void;

/** The pages of one book. */
export function pageSource(
  item: string,
  exchange: Pick<Exchange, 'pages' | 'planner' | 'holderOf'>,
  arrived: Arrived = () => {},
  plainly: PageSource = byAddress(item),
): PageSource {
  return async (page, converted, signal) => {
    try {
      const content = await exchange.pages.page(item, page.number, converted, signal);
      const bytes = await exchange.planner.fetchContent(content, signal, undefined, exchange.holderOf(item));
      arrived(page.number, content);
      return new Blob([bytes], { type: HARMLESS.includes(content.type) ? content.type : 'application/octet-stream' });
    } catch {
      signal.throwIfAborted();
      exchange.pages.forget(item, page.number, converted);
      const picture = await plainly(page, converted, signal);
      arrived(page.number, null);
      return picture;
    }
  };
}

function byAddress(item: string): PageSource {
  return (page, converted, signal) => api.blob(address.page(item, page.number, converted ? 'jpeg' : undefined), signal);
}

/** A whole book, as its file is: its blocks as a page's, and by its address where they cannot be had. */
export async function bookFile(
  book: WholeFile,
  exchange: Pick<Exchange, 'planner' | 'holderOf'>,
  signal: AbortSignal,
  plainly = (item: string, signal: AbortSignal) => api.blob(address.file(item), signal),
): Promise<Blob> {
  try {
    const holder = exchange.holderOf(book.item);
    const content = await contentOf(book, (root) => exchange.planner.fetchBlock(root, signal, undefined, holder));
    return new Blob([await exchange.planner.fetchContent(content, signal, undefined, holder)]);
  } catch {
    signal.throwIfAborted();
    return plainly(book.item, signal);
  }
}

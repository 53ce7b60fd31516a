/**
 * Where pages and books come from: the one place that knows. Over HTTPS with the page's session; a carrier that brings a path's
 * bytes otherwise is put under here.
 */
import { address, api } from '../../api/client';
import type { BookPage } from '../../api/types';

/** What every browser that runs this page shows. */
const SHOWN = ['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif', 'image/svg+xml', 'image/bmp'];

export function isShown(page: BookPage): boolean {
  return SHOWN.includes(page.type);
}

export type PageSource = (page: BookPage, converted: boolean, signal: AbortSignal) => Promise<Blob>;

/** The pages of one book. */
export function pageSource(item: string): PageSource {
  return (page, converted, signal) => api.blob(address.page(item, page.number, converted ? 'jpeg' : undefined), signal);
}

/** A whole book, as its file is. */
export function bookFile(item: string, signal?: AbortSignal): Promise<Blob> {
  return api.blob(address.file(item), signal);
}

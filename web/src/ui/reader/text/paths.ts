/** Where a reference in a book leads, and how chapters and the node's pages count the same book. Pure. */

/** A file in the book, with the fragment that was named; null for what lies outside of it. */
export function inBook(reference: string, from: string): { path: string; fragment: string } | null {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(reference.trim())) return null;
  try {
    const url = new URL(reference, `book://x/${from.split('/').map(encodeURIComponent).join('/')}`);
    return { path: decodeURIComponent(url.pathname.slice(1)), fragment: decodeURIComponent(url.hash.slice(1)) };
  } catch {
    return null;
  }
}

/** The page of `pages` at which a chapter (from 0) of `chapters` ends: the same number where there are as many. */
export function pageOf(chapter: number, chapters: number, pages: number): number {
  return chapters > 0 ? Math.max(1, Math.floor(((chapter + 1) * pages) / chapters)) : 1;
}

/** The chapter that `pageOf` tells `page` of. */
export function chapterAt(page: number, chapters: number, pages: number): number {
  if (pages <= 0) return 0;
  return Math.min(chapters - 1, Math.max(0, Math.ceil((page * chapters) / pages) - 1));
}

/** A style sheet in which every address leads where `to` says: anything else in the book, or nothing. */
export function withAddresses(css: string, to: (reference: string) => string | null): string {
  return css
    .replace(/@import[^;]*;?/gi, '')
    .replace(/url\(\s*(?:"([^"]*)"|'([^']*)'|([^)'"]*))\s*\)/gi, (_all, ...found: (string | undefined)[]) => {
      const address = to((found[0] ?? found[1] ?? found[2] ?? '').trim());
      return address === null ? 'none' : `url("${address}")`;
    });
}

/** A book of text: its chapters in reading order and its table of contents. */
import { EPUB, type Entry } from 'foliate-js/epub.js';
import { Archive } from './archive';
import { inBook } from './paths';

export interface ContentsEntry {
  label: string;
  /** From 0. */
  chapter: number;
  fragment: string;
  depth: number;
}

export interface TextBook {
  archive: Archive;
  /** Paths in the archive. */
  chapters: string[];
  contents: ContentsEntry[];
}

export async function openBook(file: Blob): Promise<TextBook> {
  const archive = await Archive.open(file);
  const epub = await new EPUB({
    loadText: (path) => archive.text(path),
    loadBlob: async (path) => {
      const bytes = await archive.read(path);
      return bytes && new Blob([bytes]);
    },
    getSize: (path) => archive.size(path),
  }).init();
  const chapters = epub.sections.map(({ id }) => id);
  return { archive, chapters, contents: flat(epub.toc ?? [], chapters, 0) };
}

function flat(entries: Entry[], chapters: string[], depth: number): ContentsEntry[] {
  return entries.flatMap((entry) => {
    const place = entry.href === null ? null : inBook(entry.href, '');
    const chapter = place ? chapters.indexOf(place.path) : -1;
    const own = chapter < 0 ? [] : [{ label: entry.label.trim(), chapter, fragment: place?.fragment ?? '', depth }];
    return [...own, ...flat(entry.subitems ?? [], chapters, depth + 1)];
  });
}

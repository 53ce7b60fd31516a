/** Comics and books that nobody wrote: series of every kind of reading, whose pages `pages.ts` draws. */
import type { BookDirection, BookPage, BookPages, ItemSummary } from '../src/api/types.ts';
import { drawCover, drawPage } from './pages.ts';

interface Series {
  title: string;
  year: number;
  books: number;
  pages: number;
  direction: BookDirection | null;
  format?: string;
  library?: 'books';
}

const SERIES: Series[] = [
  { title: 'Low Water', year: 2019, books: 12, pages: 24, direction: 'ltr' },
  { title: 'The Tin Gardener', year: 2008, books: 31, pages: 40, direction: 'rtl' },
  { title: 'Stairwell', year: 2022, books: 8, pages: 30, direction: 'webtoon' },
  { title: 'Everything We Mapped', year: 2015, books: 1, pages: 1000, direction: null },
  { title: 'Torn Pages', year: 1999, books: 2, pages: 12, direction: null },
  { title: 'Night Ferry', year: 2021, books: 5, pages: 18, direction: 'vertical' },
  ...['Ash and Amber', 'Counting Crows Home', 'Dry Season', 'Glass Orchard', 'Harbour Light', 'Iron Choir'].map(
    (title, i): Series => ({ title, year: 1984 + i * 7, books: 3 + i, pages: 22, direction: null }),
  ),
  {
    title: 'Almanac of Small Weather',
    year: 2011,
    books: 3,
    pages: 60,
    direction: null,
    format: 'pdf',
    library: 'books',
  },
  {
    title: 'A Field Guide to Doors',
    year: 2017,
    books: 1,
    pages: 6,
    direction: null,
    format: 'epub',
    library: 'books',
  },
];

/** A page of the series `Torn Pages` that the node cannot read, and one of a type that no browser shows. */
const TORN = 4;
const FOREIGN = 6;

export function seriesItems(comics: string, books: string, now: number): ItemSummary[] {
  return SERIES.flatMap((series, i) => itemsOf(series, i, series.library ? books : comics, now));
}

function itemsOf(series: Series, i: number, library: string, now: number): ItemSummary[] {
  const id = `c${i}`;
  const common = { library, state: 'present' as const, year: series.year, cid: null, size: null };
  const books = Array.from({ length: series.books }, (_, n): ItemSummary => {
    const book = `${id}b${n + 1}`;
    const one: ItemSummary = {
      ...common,
      id: book,
      kind: 'book',
      title: series.books === 1 ? series.title : `${series.title} ${n + 1}`,
      show: id,
      show_title: series.title,
      number: series.books === 1 ? null : i === 0 && n === 10 ? '10.5' : String(n + 1),
      pages: series.pages,
      size: series.pages * 1.3e6,
      added_at: now - (i * 20 + n) * 3_600_000,
      poster: `/api/v1/items/${book}/poster`,
    };
    if (i < 2 && n < 3) one.progress = { position: series.pages, completed: true };
    if (i < 3 && n === (i < 2 ? 3 : 0)) one.progress = { position: 9, completed: false };
    return one;
  });
  const first = books[0]!;
  return [
    {
      ...common,
      id,
      kind: 'series',
      title: series.title,
      episodes: books.length,
      added_at: first.added_at,
      poster: first.poster ?? null,
    },
    ...books,
  ];
}

function seriesOf(item: ItemSummary): Series {
  return SERIES[Number(/^c(\d+)/.exec(item.id)?.[1])]!;
}

export function pagesOf(item: ItemSummary): BookPages {
  const { direction, format = 'zip' } = seriesOf(item);
  return { format, direction, pages: Array.from({ length: item.pages ?? 0 }, (_, i) => pageOf(item, i + 1)) };
}

function pageOf(item: ItemSummary, number: number): BookPage {
  const { title, direction, format } = seriesOf(item);
  if (format === 'epub') {
    return { number, name: `c${number}.xhtml`, type: 'application/xhtml+xml', width: null, height: null, size: 9000 };
  }
  const strip = direction === 'webtoon';
  const wide = !strip && number % 11 === 7;
  const foreign = title === 'Torn Pages' && number === FOREIGN;
  const known = title !== 'Night Ferry' || number % 3 === 0;
  return {
    number,
    name: `${String(number).padStart(3, '0')}.${foreign ? 'jxl' : 'svg'}`,
    type: foreign ? 'image/jxl' : 'image/svg+xml',
    width: known ? (strip ? 800 : wide ? 2400 : 1200) : null,
    height: known ? (strip ? 1400 + ((number * 613) % 1200) : 1800) : null,
    size: 1_300_000,
  };
}

/** A page as a picture; null for one that cannot be read. */
export function pagePicture(item: ItemSummary, number: number, converted: boolean): string | null {
  const series = seriesOf(item);
  const torn = series.title === 'Torn Pages' && (number === TORN || (number === FOREIGN && !converted));
  if (torn || number < 1 || number > (item.pages ?? 0)) return null;
  const { width, height } = pageOf(item, number);
  const strip = series.direction === 'webtoon';
  const seed = seedOf(item.id) + number;
  if (number === 1 && !strip) return drawCover(seed, series.title, item.number ?? '');
  const size = { width: width ?? (number % 11 === 7 ? 2400 : 1200), height: height ?? 1800 };
  return drawPage(seed, number, size, { strip, rtl: series.direction === 'rtl' });
}

export function cover(item: ItemSummary): string {
  const series = seriesOf(item);
  const id = item.kind === 'series' ? `${item.id}b1` : item.id;
  return drawCover(seedOf(id) + 1, series.title, item.number ?? '');
}

function seedOf(id: string): number {
  return [...id].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7) % 100_003;
}

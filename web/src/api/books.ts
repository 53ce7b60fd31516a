/**
 * What comics and books add to the shapes of the native API, written by hand until `schema.d.ts` knows them. Then this
 * file goes: `types.ts` names the generated shapes again, as it does all others.
 */
import type { components } from './schema';

type Schemas = components['schemas'];

export type LibraryKind = Schemas['LibraryKind'] | 'comics' | 'books';
export type ItemKind = Schemas['ItemKind'] | 'series' | 'book';

/** Of an item of kind `book`; `books` of a `series`. */
interface BookFacts {
  /** As it is written: `10.5`. */
  number?: string | null;
  pages?: number | null;
  books?: number | null;
}

type WithKind<Shape, Kind> = Omit<Shape, 'kind'> & { kind: Kind };

export type ItemSummary = WithKind<Schemas['ItemSummary'], ItemKind> & BookFacts;
export type ItemDetail = WithKind<Schemas['ItemDetail'], ItemKind> & BookFacts;
export type ItemPage = Omit<Schemas['ItemPage'], 'items'> & { items: ItemSummary[] };
export type Library = WithKind<Schemas['Library'], LibraryKind>;
export type NewLibrary = WithKind<Schemas['NewLibrary'], LibraryKind>;
export type Status = Omit<Schemas['Status'], 'libraries'> & { libraries: Library[] };

/** How a book wants to be read. */
export type BookDirection = 'ltr' | 'rtl' | 'vertical' | 'webtoon';

/** One page in `GET /items/{id}/pages`. */
export interface BookPage {
  /** From 1. */
  number: number;
  name: string;
  /** Media type. */
  type: string;
  /** Pixels; null where they are not known. */
  width: number | null;
  height: number | null;
  /** Bytes. */
  size: number;
}

/** The answer of `GET /items/{id}/pages`. */
export interface BookPages {
  /** `zip`, `rar`, `pdf`, `epub`, `folder`... */
  format: string;
  direction: BookDirection | null;
  pages: BookPage[];
}

import type { ItemDetail, ItemSummary, Library } from '../../api/types';

/** What the home view shows. */
export interface Foyer {
  begun: ItemSummary[];
  shelves: Shelf[];
  hero: ItemDetail | null;
}

export interface Shelf {
  library: Library;
  items: ItemSummary[];
}

/** Own shelves first; of friends' what no shelf before has: a film that is kept here, or that two of them have, is shown once. */
export function arranged(shelves: Shelf[]): Shelf[] {
  const name = ({ kind, title, year }: ItemSummary) => `${kind} ${year ?? ''} ${title}`;
  const seen = new Set<string>();
  const rest = ({ library, items }: Shelf) => {
    const shown = library.friend ? items.filter((item) => !seen.has(name(item))) : items;
    items.forEach((item) => seen.add(name(item)));
    return { library, items: shown };
  };
  const own = shelves.filter(({ library }) => !library.friend);
  const friends = shelves.filter(({ library }) => library.friend);
  return [...own, ...friends].map(rest).filter(({ items }) => items.length > 0);
}

let last: { account: string; foyer: Foyer } | null = null;

/** Remembers the last home view, to show it at once on Back while the node is asked again. */
export function keepFoyer(account: string, foyer: Foyer): void {
  last = { account, foyer };
}

export function keptFoyer(account: string): Foyer | null {
  return last?.account === account ? last.foyer : null;
}

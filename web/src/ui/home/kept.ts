import type { ItemDetail, ItemSummary, Library } from '../../api/types';

/** What the home view shows. */
export interface Foyer {
  begun: ItemSummary[];
  shelves: { library: Library; items: ItemSummary[] }[];
  hero: ItemDetail | null;
}

let last: { account: string; foyer: Foyer } | null = null;

/** Remembers the last home view, to show it at once on Back while the node is asked again. */
export function keepFoyer(account: string, foyer: Foyer): void {
  last = { account, foyer };
}

export function keptFoyer(account: string): Foyer | null {
  return last?.account === account ? last.foyer : null;
}

/**
 * Where the page is. Owns the history: views read `place.route` and call `go` and `replace`; plain links are taken
 * over in one place. Scroll positions are kept for each history entry, so that Back lands where one was.
 */
import { tick } from 'svelte';
import { parseRoute, sameView, type Route } from './route';

function current(): Route {
  return parseRoute(location.pathname + location.search);
}

class Place {
  route: Route = $state.raw(current());
}

export const place = new Place();

const scrolls = new Map<number, number>();
let entry = 0;
/** Set while a view should restore this offset once its content is there. */
let restoring: number | null = null;

/** Starts listening; call once. */
export function startPlace(): void {
  history.scrollRestoration = 'manual';
  entry = (history.state as { entry?: number } | null)?.entry ?? 0;
  history.replaceState({ entry }, '');
  addEventListener('popstate', (event) => {
    scrolls.set(entry, scrollY);
    entry = (event.state as { entry?: number } | null)?.entry ?? 0;
    const before = place.route;
    place.route = current();
    if (!sameView(before, place.route)) void settle(scrolls.get(entry) ?? 0);
  });
  document.addEventListener('click', takeOver);
}

/** Goes to a place of the page. */
export function go(url: string): void {
  if (url === location.pathname + location.search) return;
  scrolls.set(entry, scrollY);
  entry += 1;
  for (const key of scrolls.keys()) if (key >= entry) scrolls.delete(key);
  history.pushState({ entry }, '', url);
  const before = place.route;
  place.route = current();
  if (!sameView(before, place.route)) void settle(0);
}

/** Changes the address without a step in the history. */
export function replace(url: string): void {
  history.replaceState({ entry }, '', url);
  place.route = current();
}

/** One step back if the page has one, else to `fallback`. */
export function back(fallback: string): void {
  if (entry > 0) history.back();
  else {
    replace(fallback);
    void settle(0);
  }
}

/** The offset that the view being shown should scroll to when it is tall enough; asked once. */
export function takeScroll(): number | null {
  const offset = restoring;
  restoring = null;
  return offset;
}

async function settle(offset: number): Promise<void> {
  restoring = offset > 0 ? offset : null;
  await tick();
  scrollTo({ top: offset, behavior: 'instant' });
  if (Math.abs(scrollY - offset) < 2) restoring = null;
}

function takeOver(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = (event.target as Element | null)?.closest('a');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (/^\/(api|ip[fn]s)\//.test(link.pathname) || link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

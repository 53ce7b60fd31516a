/** How a spread lies in the window: its fit, and zoom and shift on top. Pure; pixels. */
import type { PageSize } from './spreads';
import type { Fit } from './strip';

export interface Size {
  width: number;
  height: number;
}

/** `x` and `y` shift the middle of what is shown from the middle of the window. */
export interface Lens {
  zoom: number;
  x: number;
  y: number;
}

export const ZOOM_MAX = 6;
const ASSUMED: Size = { width: 1000, height: 1500 };

/** Pages side by side, equally high, in whole pixels: between fractions a seam would show. */
export function fitted(pages: readonly PageSize[], window: Size, fit: Fit): Size[] {
  const known = pages.map(({ width, height }) => (width && height ? { width, height } : ASSUMED));
  const tallest = Math.max(...known.map(({ height }) => height));
  const level = known.map(({ width, height }) => ({ width: (width * tallest) / height, height: tallest }));
  const all = level.reduce((sum, { width }) => sum + width, 0);
  const byWidth = window.width / all;
  const byHeight = window.height / tallest;
  const scale = { screen: Math.min(byWidth, byHeight), width: byWidth, height: byHeight, original: 1 }[fit];
  return level.map(({ width, height }) => ({ width: Math.round(width * scale), height: Math.round(height * scale) }));
}

/** The whole of pages side by side. */
export function together(pages: readonly Size[]): Size {
  return {
    width: pages.reduce((sum, { width }) => sum + width, 0),
    height: Math.max(0, ...pages.map(({ height }) => height)),
  };
}

/** No further than the edges: what is smaller than the window stays in the middle. */
export function bounded(lens: Lens, content: Size, window: Size): Lens {
  const zoom = Math.min(ZOOM_MAX, Math.max(1, lens.zoom));
  const room = roomOf({ ...lens, zoom }, content, window);
  return { zoom, x: limited(lens.x, room.width), y: limited(lens.y, room.height) };
}

/** How far it can be shifted either way. */
export function roomOf({ zoom }: Lens, content: Size, window: Size): Size {
  return {
    width: Math.max(0, (content.width * zoom - window.width) / 2),
    height: Math.max(0, (content.height * zoom - window.height) / 2),
  };
}

/** Zooms so that what lies under `at` (from the middle of the window) stays there. */
export function zoomedAt(lens: Lens, factor: number, at: { x: number; y: number }): Lens {
  const zoom = Math.min(ZOOM_MAX, Math.max(1, lens.zoom * factor));
  const change = zoom / lens.zoom;
  return { zoom, x: at.x - (at.x - lens.x) * change, y: at.y - (at.y - lens.y) * change };
}

/** Where reading begins: at the top, on the side where lines begin; where it ends when one comes from behind. */
export function beginning(content: Size, window: Size, direction: 'ltr' | 'rtl', fromEnd: boolean): Lens {
  const lens = { zoom: 1, x: 0, y: 0 };
  const room = roomOf(lens, content, window);
  // Its left edge is seen when it is shifted to the right.
  const side = (direction === 'rtl') === fromEnd ? 1 : -1;
  return { zoom: 1, x: room.width * side || 0, y: room.height * (fromEnd ? -1 : 1) || 0 };
}

function limited(shift: number, room: number): number {
  return Math.min(room, Math.max(-room, shift)) || 0;
}

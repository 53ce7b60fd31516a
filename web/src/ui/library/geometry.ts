/** The arithmetic of a grid of which only the visible rows exist. Pure; pixels throughout. */
export interface Layout {
  columns: number;
  itemWidth: number;
  /** Height of a row with its gap. */
  rowHeight: number;
  rows: number;
  height: number;
}

export interface Shape {
  /** Columns are at least this wide. */
  minWidth: number;
  minColumns: number;
  gap: number;
  rowGap: number;
  /** Height of the picture by its width. */
  ratio: number;
  /** Lines of text below the picture. */
  captionHeight: number;
}

export function layoutOf(width: number, count: number, shape: Shape): Layout {
  const fit = Math.floor((width + shape.gap) / (shape.minWidth + shape.gap));
  const columns = Math.max(shape.minColumns, fit);
  const itemWidth = Math.max(1, (width - (columns - 1) * shape.gap) / columns);
  const rowHeight = Math.round(itemWidth * shape.ratio + shape.captionHeight + shape.rowGap);
  const rows = Math.ceil(count / columns);
  return { columns, itemWidth, rowHeight, rows, height: Math.max(0, rows * rowHeight - shape.rowGap) };
}

/** Indices to render: those between `top` and `bottom` (offsets in the grid), and `spare` rows on both sides. */
export function windowOf(layout: Layout, count: number, top: number, bottom: number, spare: number): [number, number] {
  if (count === 0) return [0, 0];
  const first = Math.max(0, Math.floor(top / layout.rowHeight) - spare);
  const last = Math.min(layout.rows, Math.ceil(bottom / layout.rowHeight) + spare);
  return [Math.min(count, first * layout.columns), Math.min(count, Math.max(first, last) * layout.columns)];
}

/** Where an arrow, Home, End or page key leads from `index`; `null` for other keys. */
export function step(key: string, index: number, count: number, columns: number, rowsInView: number): number | null {
  const leaps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * rowsInView,
    PageDown: columns * rowsInView,
    Home: -count,
    End: count,
  };
  const leap = leaps[key];
  if (leap === undefined || count === 0) return null;
  const target = index + leap;
  if ((key === 'ArrowUp' && target < 0) || (key === 'ArrowDown' && target >= count + columns)) return index;
  return Math.min(count - 1, Math.max(0, target));
}

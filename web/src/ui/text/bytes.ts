const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** 1000-based, three significant digits at most: `0 B`, `512 B`, `1.4 GB`. */
export function bytes(count: number): string {
  if (!Number.isFinite(count) || count <= 0) return '0 B';
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${trimZeros(value.toFixed(digits))} ${UNITS[unit]}`;
}

/** Bytes a second. */
export function rate(bytesPerSecond: number): string {
  return `${bytes(bytesPerSecond)}/s`;
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

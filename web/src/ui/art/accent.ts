/**
 * The one accent colour of a view, taken from its artwork. Only hue and strength are taken; tokens.css fixes the
 * lightness, so contrast does not depend on a picture.
 */
export interface Accent {
  /** Degrees in OKLCH. */
  hue: number;
  /** 0 for grey artwork, 1 for colourful. */
  tint: number;
}

/** What the page wears where no artwork speaks: candlelight. */
export const RESTING: Accent = { hue: 70, tint: 1 };

const SIDE = 32;
const BUCKETS = 24;

/** The hue that the most colourful pixels agree on. `rgba` is as `ImageData` holds it. */
export function accentOf(rgba: Uint8ClampedArray): Accent {
  const weight = new Float64Array(BUCKETS);
  const x = new Float64Array(BUCKETS);
  const y = new Float64Array(BUCKETS);
  let total = 0;
  let pixels = 0;
  for (let i = 0; i + 3 < rgba.length; i += 4) {
    const { lightness, a, b } = oklab(rgba[i]!, rgba[i + 1]!, rgba[i + 2]!);
    pixels += 1;
    const chroma = Math.hypot(a, b);
    if (chroma < 0.025 || lightness < 0.12 || lightness > 0.96) continue;
    const hue = Math.atan2(b, a);
    const bucket = Math.floor(((hue / (2 * Math.PI) + 1) % 1) * BUCKETS);
    const w = chroma * (1 - Math.abs(lightness - 0.6));
    weight[bucket]! += w;
    x[bucket]! += w * Math.cos(hue);
    y[bucket]! += w * Math.sin(hue);
    total += w;
  }
  if (pixels === 0 || total / pixels < 0.003) return { hue: RESTING.hue, tint: 0.25 };
  let best = 0;
  let bestWeight = -1;
  for (let i = 0; i < BUCKETS; i += 1) {
    const around = weight[i]! + 0.5 * (weight[(i + 1) % BUCKETS]! + weight[(i + BUCKETS - 1) % BUCKETS]!);
    if (around > bestWeight) [best, bestWeight] = [i, around];
  }
  const degrees = (Math.atan2(y[best]!, x[best]!) * 180) / Math.PI;
  return { hue: Math.round((degrees + 360) % 360), tint: Math.min(1, 0.35 + (total / pixels) * 14) };
}

/** Reads an image that has loaded; `null` where its pixels may not be read. */
export function accentOfImage(image: HTMLImageElement): Accent | null {
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context || image.naturalWidth === 0) return null;
  try {
    context.drawImage(image, 0, 0, SIDE, SIDE);
    return accentOf(context.getImageData(0, 0, SIDE, SIDE).data);
  } catch {
    return null;
  }
}

/** Dresses the page. */
export function wear(accent: Accent): void {
  const { style } = document.documentElement;
  style.setProperty('--hue', String(accent.hue));
  style.setProperty('--tint', accent.tint.toFixed(2));
}

/** sRGB bytes to OKLab (Björn Ottosson's matrices). */
function oklab(red: number, green: number, blue: number): { lightness: number; a: number; b: number } {
  const r = linear(red);
  const g = linear(green);
  const b = linear(blue);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {
    lightness: 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    a: 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    b: 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  };
}

function linear(byte: number): number {
  const c = byte / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

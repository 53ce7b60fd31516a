/** Pictures for invented titles: drawn, so that nothing need be kept or fetched. */

/** Numbers from 0 to 1, the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
}

export function picture(seed: number, width: number, height: number): string {
  const next = random(seed * 2654435761 + 7);
  for (let i = 0; i < 5; i += 1) next();
  const hue = Math.round(next() * 360);
  const other = (hue + 30 + Math.round(next() * 90)) % 360;
  const horizon = height * (0.45 + next() * 0.25);
  const sun = {
    x: width * (0.2 + next() * 0.6),
    y: horizon - height * next() * 0.2,
    r: Math.min(width, height) * (0.1 + next() * 0.16),
  };
  const hills = Array.from({ length: 4 }, (_, i) => {
    const base = horizon + ((height - horizon) * i) / 4;
    const points = Array.from(
      { length: 7 },
      (_, k) => `${(k * width) / 6},${(base - next() * height * 0.09).toFixed(1)}`,
    );
    return `<polygon points="0,${height} ${points.join(' ')} ${width},${height}" fill="hsl(${other},${40 - i * 6}%,${26 - i * 6}%)"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><defs><linearGradient id="s" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="hsl(${hue},45%,16%)"/><stop offset="0.6" stop-color="hsl(${hue},62%,48%)"/><stop offset="1" stop-color="hsl(${other},75%,70%)"/></linearGradient></defs><rect width="${width}" height="${height}" fill="url(#s)"/><circle cx="${sun.x.toFixed(1)}" cy="${sun.y.toFixed(1)}" r="${sun.r.toFixed(1)}" fill="hsl(${other},90%,86%)" opacity=".9"/>${hills.join('')}</svg>`;
}

/** A hue for a title without artwork: the same title always looks the same. */
export function hueOf(title: string): number {
  let hash = 2166136261;
  for (const char of title) hash = Math.imul(hash ^ char.codePointAt(0)!, 16777619);
  return (hash >>> 0) % 360;
}

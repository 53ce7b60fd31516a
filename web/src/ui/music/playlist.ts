/** A list in which one entry goes to another place; places count from 0, and one behind the last is the last. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const entry = list[from];
  if (entry === undefined) return [...list];
  const others = list.filter((_, at) => at !== from);
  const place = Math.max(0, Math.min(to, others.length));
  return [...others.slice(0, place), entry, ...others.slice(place)];
}

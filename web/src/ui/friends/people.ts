/** What is typed where people are named, one after the other. */

/** The names in a text, each once: separated by commas or lines, compared without regard to case. */
export function names(text: string): string[] {
  const found = new Map<string, string>();
  for (const name of text.split(/[,;\n]/).map((part) => part.trim())) {
    const key = name.toLowerCase();
    if (name !== '' && !found.has(key)) found.set(key, name);
  }
  return [...found.values()];
}

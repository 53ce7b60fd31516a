/** Stands in for `lfa-ponyfill`, which jassub would ask for fonts of Google's: this page has only its own and the file's. */
export function queryRemoteFonts(): Promise<[]> {
  return Promise.resolve([]);
}

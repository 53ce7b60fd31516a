/** What is used of foliate-js, which has no types of its own. */
declare module 'foliate-js/epub.js' {
  export interface Section {
    /** Path in the archive. */
    id: string;
    linear?: string;
  }
  export interface Entry {
    label: string;
    /** Path with a fragment, or nothing for a heading without a place. */
    href: string | null;
    subitems?: Entry[] | null;
  }
  export class EPUB {
    constructor(archive: {
      loadText: (path: string) => Promise<string | null>;
      loadBlob: (path: string) => Promise<Blob | null>;
      getSize: (path: string) => number;
    });
    init(): Promise<EPUB>;
    sections: Section[];
    toc?: Entry[] | null;
  }
}

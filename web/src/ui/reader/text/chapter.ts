/**
 * A chapter as it may be shown. What an EPUB holds is untrusted: it is shown in a frame that cannot run scripts (see
 * `Frame.svelte`); here, what has no business in a book is left out besides, and every address leads into the book.
 */
import type { Archive } from './archive';
import { inBook, withAddresses } from './paths';

export interface Chapter {
  body: Element;
  styles: string[];
  language: string;
  direction: string;
  /** Gives back the pictures. */
  close: () => void;
}

/** Where in a chapter to begin: an element's id, the end, a part of it from 0 to 1, or the top. */
export interface Start {
  fragment?: string;
  end?: boolean;
  part?: number;
}

const BANNED = 'script, iframe, frame, object, embed, form, base, meta, link, style, audio, video, template, noscript';
const XLINK = 'http://www.w3.org/1999/xlink';

const PICTURES: Record<string, string> = {
  avif: 'image/avif',
  bmp: 'image/bmp',
  gif: 'image/gif',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  png: 'image/png',
  svg: 'image/svg+xml',
  webp: 'image/webp',
};

export async function chapterOf(archive: Archive, path: string): Promise<Chapter> {
  const document = parsed((await archive.text(path)) ?? '');
  const pictures = new Pictures(archive);
  const styles = await stylesOf(document, archive, path, pictures);
  const body = document.body ?? document.documentElement;
  await clean(body, path, pictures);
  const root = document.documentElement;
  return {
    body,
    styles,
    language: root.getAttribute('lang') ?? root.getAttribute('xml:lang') ?? '',
    direction: body.getAttribute('dir') ?? root.getAttribute('dir') ?? '',
    close: () => pictures.close(),
  };
}

/** XHTML, or what browsers make of it where it is broken. */
function parsed(text: string): Document {
  const parser = new DOMParser();
  const strict = parser.parseFromString(text, 'application/xhtml+xml');
  return strict.querySelector('parsererror') ? parser.parseFromString(text, 'text/html') : strict;
}

async function stylesOf(document: Document, archive: Archive, path: string, pictures: Pictures): Promise<string[]> {
  const found: string[] = [];
  for (const element of document.querySelectorAll('style, link[rel~="stylesheet"][href]')) {
    const place = element.localName === 'link' ? inBook(element.getAttribute('href') ?? '', path) : null;
    const from = place?.path ?? path;
    const css = element.localName === 'link' ? place && (await archive.text(place.path)) : element.textContent;
    if (css) found.push(await pictures.inStyles(css, from));
  }
  return found;
}

async function clean(body: Element, path: string, pictures: Pictures): Promise<void> {
  for (const element of body.querySelectorAll(BANNED)) element.remove();
  for (const element of [body, ...body.querySelectorAll('*')]) {
    for (const { name } of [...element.attributes]) {
      if (/^on|^(srcset|poster|background|action|formaction|ping)$/i.test(name)) element.removeAttribute(name);
    }
    const style = element.getAttribute('style');
    if (style)
      element.setAttribute(
        'style',
        withAddresses(style, () => null),
      );
    if (element.localName === 'img') await setPicture(element, 'src', null, path, pictures);
    else if (element.localName === 'image') {
      await setPicture(element, 'href', null, path, pictures);
      await setPicture(element, 'href', XLINK, path, pictures);
    } else if (element.hasAttribute('src')) element.removeAttribute('src');
  }
}

async function setPicture(element: Element, name: string, space: string | null, path: string, pictures: Pictures) {
  const reference = element.getAttributeNS(space, name);
  if (reference === null) return;
  const address = await pictures.address(reference, path);
  if (address) element.setAttributeNS(space, space ? `xlink:${name}` : name, address);
  else element.removeAttributeNS(space, name);
}

/** Pictures of a chapter in memory, each once. */
class Pictures {
  private readonly made = new Map<string, string>();

  constructor(private readonly archive: Archive) {}

  async address(reference: string, from: string): Promise<string | null> {
    const place = inBook(reference, from);
    const type = PICTURES[place?.path.split('.').at(-1)?.toLowerCase() ?? ''];
    if (!place || !type) return null;
    const known = this.made.get(place.path);
    if (known) return known;
    const bytes = await this.archive.read(place.path);
    if (!bytes) return null;
    const address = URL.createObjectURL(new Blob([bytes], { type }));
    this.made.set(place.path, address);
    return address;
  }

  async inStyles(css: string, from: string): Promise<string> {
    const named = new Set<string>();
    withAddresses(css, (reference) => (named.add(reference), null));
    const addresses = new Map<string, string | null>();
    for (const reference of named) addresses.set(reference, await this.address(reference, from));
    return withAddresses(css, (reference) => addresses.get(reference) ?? null);
  }

  close(): void {
    for (const address of this.made.values()) URL.revokeObjectURL(address);
  }
}

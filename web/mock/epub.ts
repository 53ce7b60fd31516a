/** A short book of text, made when it is asked for. One chapter tries what no book may do. */
import { strToU8, zipSync } from 'fflate';
import { picture } from './art.ts';

const CHAPTERS = ['The first door', 'Hinges', 'A locked one', 'Keys and other rumours', 'The glass door', 'Outside'];
const SENTENCES = [
  'It stood in the field as if a house had been taken away around it.',
  'Nobody in the village remembered who had hung it, though all of them had walked through.',
  'The handle was warm, which she put down to the sun, and on Thursdays to something else.',
  'Beyond it lay the same field, a little later in the day.',
  'He wrote that down, with the hour, and drew the hinges from memory.',
];

/** Each of these would leave a mark on the page if a script of the book could run. */
const ATTACK = `<script>parent.document.documentElement.dataset.owned = 'script'</script>
<img src="nowhere.png" onerror="parent.document.documentElement.dataset.owned = 'onerror'" alt=""/>
<p><a href="javascript:parent.document.documentElement.dataset.owned='link'" id="attack">A door that must not open</a></p>
<svg xmlns="http://www.w3.org/2000/svg" onload="parent.document.documentElement.dataset.owned = 'svg'" width="1" height="1"><script>parent.document.documentElement.dataset.owned = 'svg script'</script></svg>
<iframe src="javascript:parent.document.documentElement.dataset.owned='iframe'"></iframe>
<img src="https://example.org/spy.png" alt=""/>`;

export function epub(title: string): Buffer {
  const files: Record<string, Uint8Array> = {
    mimetype: strToU8('application/epub+zip'),
    'META-INF/container.xml': strToU8(
      '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
    ),
    'OEBPS/book.opf': strToU8(packageOf(title)),
    'OEBPS/nav.xhtml': strToU8(navigation()),
    'OEBPS/style.css': strToU8(
      'h1 { font-weight: 600; letter-spacing: 0.02em } p { text-indent: 1.4em; margin: 0 } figure { margin: 2em 0 }',
    ),
    'OEBPS/img/field.svg': strToU8(picture(77, 900, 500)),
  };
  CHAPTERS.forEach((name, i) => (files[`OEBPS/c${i + 1}.xhtml`] = strToU8(chapter(name, i))));
  return Buffer.from(zipSync(files));
}

function packageOf(title: string): string {
  const items = CHAPTERS.map(
    (_, i) => `<item id="c${i + 1}" href="c${i + 1}.xhtml" media-type="application/xhtml+xml"/>`,
  );
  const spine = CHAPTERS.map((_, i) => `<itemref idref="c${i + 1}"/>`);
  return `<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">mock</dc:identifier><dc:title>${title}</dc:title><dc:language>en</dc:language></metadata><manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/><item id="css" href="style.css" media-type="text/css"/><item id="img" href="img/field.svg" media-type="image/svg+xml"/>${items.join('')}</manifest><spine>${spine.join('')}</spine></package>`;
}

function navigation(): string {
  const entries = CHAPTERS.map((name, i) => `<li><a href="c${i + 1}.xhtml">${name}</a></li>`);
  return `<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body><nav epub:type="toc"><ol>${entries.join('')}</ol></nav></body></html>`;
}

function chapter(name: string, i: number): string {
  const paragraphs = Array.from(
    { length: 16 },
    (_, n) => `<p>${Array.from({ length: 4 }, (_, k) => SENTENCES[(n * 3 + k + i) % SENTENCES.length]).join(' ')}</p>`,
  );
  const figure = i === 0 ? '<figure><img src="img/field.svg" alt="A field"/></figure>' : '';
  const link = `<p><a href="c${((i + 1) % CHAPTERS.length) + 1}.xhtml#end">To another door</a></p>`;
  return `<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head><title>${name}</title><link rel="stylesheet" href="style.css"/></head><body><h1>${name}</h1>${figure}${i === 2 ? ATTACK : ''}${paragraphs.join('')}${link}<p id="end">End of the chapter.</p></body></html>`;
}

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chapterAt, inBook, pageOf, withAddresses } from './paths';

it.each([
  ['../img/a%20b.png', 'text/one.xhtml', { path: 'img/a b.png', fragment: '' }],
  ['two.xhtml#note-3', 'text/one.xhtml', { path: 'text/two.xhtml', fragment: 'note-3' }],
  ['#top', 'text/one.xhtml', { path: 'text/one.xhtml', fragment: 'top' }],
  ['../../../../etc/passwd', 'text/one.xhtml', { path: 'etc/passwd', fragment: '' }],
])('%s leads into the book', (reference, from, place) => expect(inBook(reference, from)).toEqual(place));

it.each(['https://example.org/x', '//example.org/x', 'javascript:alert(1)', ' data:text/html,x', 'blob:x'])(
  '%s does not',
  (reference) => expect(inBook(reference, 'one.xhtml')).toBe(null),
);

it('addresses in a style sheet lead only into the book', () =>
  expect(
    withAddresses(`@import "x.css"; a { background: url('a.png') } b { background: url(https://e.org/x) }`, (one) =>
      one === 'a.png' ? 'blob:1' : null,
    ),
  ).toBe(' a { background: url("blob:1") } b { background: none }'));

it('chapters and pages are the same numbers where there are as many', () => {
  expect(pageOf(4, 12, 12)).toBe(5);
  expect(chapterAt(5, 12, 12)).toBe(4);
});

it('the last chapter is the last page', () => expect(pageOf(6, 7, 30)).toBe(30));

it('a chapter that was saved is found again', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), fc.nat(59), (chapters, more, at) => {
      const chapter = at % chapters;
      const pages = chapters + more;
      expect(chapterAt(pageOf(chapter, chapters, pages), chapters, pages)).toBe(chapter);
    }),
  ));

import { expect, it } from 'vitest';
import { linked, makersOf } from './makers.ts';

const ann = { id: '1', name: 'Ann' };
const annBand = { id: '2', name: 'Ann Band' };

it('names lead to their pages and the words between them stay', () => {
  expect(linked('Ann feat. Bob', [ann, { id: '3', name: 'Bob' }])).toEqual([
    { text: 'Ann', id: '1' },
    { text: ' feat. ', id: null },
    { text: 'Bob', id: '3' },
  ]);
  expect(linked('Ann Band', [ann, annBand])).toEqual([{ text: 'Ann Band', id: '2' }]);
  expect(linked('Somebody', [ann, { id: '9', name: '' }])).toEqual([{ text: 'Somebody', id: null }]);
  expect(linked('', [ann])).toEqual([]);
});

it('an album is of its own artists, a track of those who play', () => {
  const artists = [
    { ...ann, role: 'artist' },
    { ...ann, role: 'artist' },
    { ...annBand, role: 'albumartist' },
    { id: '3', name: 'Cleo', role: 'composer' },
  ];
  const facts = { artists, lyrics: false };
  expect(makersOf(facts)).toEqual([ann]);
  expect(makersOf(facts, true)).toEqual([annBand]);
  expect(makersOf(undefined)).toEqual([]);
});

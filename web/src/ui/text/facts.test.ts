import { expect, it } from 'vitest';
import type { ItemDetail, ItemSummary } from '../../api/types';
import {
  factsLine,
  initials,
  joined,
  leftOf,
  resolution,
  streamLine,
  subtitle,
  trackName,
  watchedShare,
} from './facts';

const film: ItemSummary = {
  id: 'a',
  library: 'l',
  kind: 'movie',
  state: 'present',
  title: 'Drift',
  year: 2024,
  duration: 6720,
  added_at: 0,
};

it.each([
  [3840, 2160, '4K'],
  [3840, 1600, '4K'],
  [1920, 800, '1080p'],
  [1440, 1080, '1080p'],
  [1280, 720, '720p'],
  [640, 480, 'SD'],
  [null, null, null],
])('%s x %s is %s', (width, height, name) => expect(resolution(width, height)).toBe(name));

it('a film tells year and length', () => expect(subtitle(film)).toBe('2024 · 1 h 52 min'));

it('an episode tells its place and show', () =>
  expect(subtitle({ ...film, kind: 'episode', season: 1, episode: 2, episode_end: 3, show_title: 'Tides' })).toBe(
    'S1 E2–3 · Tides',
  ));

it('a special is called so', () =>
  expect(subtitle({ ...film, kind: 'episode', season: 0, episode: 4 })).toBe('Special E4'));

it('the watched share is absent before the start and after the end', () => {
  expect(watchedShare({ ...film, progress: { position: 0, completed: false } })).toBe(null);
  expect(watchedShare({ ...film, progress: { position: 6000, completed: true } })).toBe(null);
  expect(watchedShare({ ...film, progress: { position: 3360, completed: false } })).toBe(0.5);
});

const book: ItemSummary = { ...film, kind: 'book', duration: null, title: 'Low Water', number: '10.5', pages: 24 };

it('a book tells its number and pages', () => expect(subtitle(book)).toBe('#10.5 · 24 pages'));

it('a series tells how many books it has', () =>
  expect(subtitle({ ...film, kind: 'series', duration: null, episodes: 12 })).toBe('2024 · 12 books'));

it('a book is told by its pages, not by a length', () =>
  expect(factsLine({ ...book, streams: [], size: 31_000_000 } as unknown as ItemDetail)).toEqual([
    '2024',
    '24 pages',
    '31 MB',
  ]));

it('a begun book tells its page', () => {
  const begun = { ...book, progress: { position: 6, completed: false } };
  expect(watchedShare(begun)).toBe(0.25);
  expect(leftOf(begun)).toBe('Page 6 of 24');
  expect(leftOf(book)).toBe(null);
});

it('a begun film tells what is left', () =>
  expect(leftOf({ ...film, progress: { position: 3720, completed: false } })).toBe('50 min left'));

it('a stream is told in one line', () =>
  expect(streamLine({ index: 1, kind: 'audio', codec: 'aac', profile: 'LC', channels: 6, sample_rate: 48000 })).toBe(
    'AAC LC · 5.1 · 48 kHz',
  ));

it('a track is called by its language and its own name', () => {
  expect(trackName({ language: 'eng' }, 'Track 1')).toBe('English');
  expect(trackName({ language: 'deu', title: 'Commentary' }, 'Track 1')).toBe('German · Commentary');
  expect(trackName({ language: 'und' }, 'Track 1')).toBe('Track 1');
});

it.each([
  ['Ada', 'A'],
  ['Ada Lovelace', 'AL'],
  ['  élan van der Vries ', 'ÉV'],
  ['', ''],
])('the initials of %s are %s', (name, letters) => expect(initials(name)).toBe(letters));

it('absent parts leave no separator', () => expect(joined(null, 'a', '', 'b', undefined)).toBe('a · b'));

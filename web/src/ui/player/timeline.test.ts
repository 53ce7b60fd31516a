import { describe, expect, it } from 'vitest';
import { ahead, chapterAt, isCompleted, paint, startAt } from './timeline';

describe('paint', () => {
  it('colours each piece by who gave it', () =>
    expect(
      paint(
        [[0, 12]],
        [
          { start: 0, end: 4, source: 'https' },
          { start: 4, end: 12, source: 'webrtc' },
        ],
      ),
    ).toEqual([
      { start: 0, end: 4, source: 'https' },
      { start: 4, end: 12, source: 'webrtc' },
    ]));

  it('joins neighbours from the same source', () =>
    expect(
      paint(
        [[0, 8]],
        [
          { start: 0, end: 4, source: 'webrtc' },
          { start: 4, end: 8, source: 'webrtc' },
        ],
      ),
    ).toEqual([{ start: 0, end: 8, source: 'webrtc' }]));

  it('shows only what is still buffered', () =>
    expect(paint([[6, 8]], [{ start: 0, end: 12, source: 'webrtc' }])).toEqual([
      { start: 6, end: 8, source: 'webrtc' },
    ]));

  it('what was fetched again has its newer colour', () =>
    expect(
      paint(
        [[0, 4]],
        [
          { start: 0, end: 4, source: 'webrtc' },
          { start: 0, end: 4, source: 'https' },
        ],
      ),
    ).toEqual([{ start: 0, end: 4, source: 'https' }]));

  it('what nobody claims is unknown, but not in slivers', () => {
    expect(paint([[0, 4]], [])).toEqual([{ start: 0, end: 4, source: 'unknown' }]);
    expect(
      paint(
        [[0, 8]],
        [
          { start: 0, end: 3.99, source: 'webrtc' },
          { start: 4, end: 8, source: 'webrtc' },
        ],
      ),
    ).toEqual([{ start: 0, end: 8, source: 'webrtc' }]);
  });
});

it('what is ahead counts from where one is', () => {
  const buffered = [
    [0, 10],
    [20, 30],
  ] as const;
  expect(ahead(buffered, 4)).toBe(6);
  expect(ahead(buffered, 15)).toBe(0);
  expect(ahead(buffered, 20)).toBe(10);
});

it('the chapter is the last that has begun', () => {
  const chapters = [
    { start: 0, end: 10, title: 'A' },
    { start: 10, end: 20, title: 'B' },
  ];
  expect(chapterAt(chapters, 10)?.chapter.title).toBe('B');
  expect(chapterAt(chapters, 9.9)?.index).toBe(0);
  expect(chapterAt([], 5)).toBe(null);
});

describe('resuming', () => {
  it('the address wins', () => expect(startAt(0, { position: 500, completed: false }, 1000)).toBe(0));
  it('never begins past the end', () => expect(startAt(5000, null, 1000)).toBe(999));
  it('goes on where one stopped', () => expect(startAt(null, { position: 500, completed: false }, 1000)).toBe(500));
  it('a short look, a watched film, and the credits begin anew', () => {
    expect(startAt(null, { position: 3, completed: false }, 1000)).toBe(0);
    expect(startAt(null, { position: 500, completed: true }, 1000)).toBe(0);
    expect(startAt(null, { position: 980, completed: false }, 1000)).toBe(0);
  });
  it('the credits count as watched', () => {
    expect(isCompleted(950, 1000)).toBe(true);
    expect(isCompleted(900, 1000)).toBe(false);
    expect(isCompleted(10, 0)).toBe(false);
  });
});

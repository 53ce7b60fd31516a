import { expect, test } from 'vitest';
import { audienceOf, names, shareWith, type Audience } from './audience';

const friend = { libraries: ['films', 'shows'], people: { shows: ['anna'] } };

test('a library is for nobody, for everyone, or for those who are named', () => {
  expect(['films', 'shows', 'talks'].map((library) => audienceOf(friend, library))).toEqual([
    'everyone',
    ['anna'],
    'nobody',
  ]);
});

test('what is asked for says at once for whom the library is, and says nothing of the others', () => {
  expect(shareWith(friend, 'talks', ['ben'])).toEqual({
    libraries: ['films', 'shows', 'talks'],
    people: { talks: ['ben'] },
  });
  expect(shareWith(friend, 'shows', 'everyone')).toEqual({ libraries: ['films', 'shows'], people: { shows: null } });
  expect(shareWith(friend, 'films', 'nobody')).toEqual({ libraries: ['shows'] });
});

test('what was asked for is what is shown then', () => {
  for (const audience of ['nobody', 'everyone', ['ben']] satisfies Audience[]) {
    const { libraries, people } = shareWith(friend, 'films', audience);
    const named = Object.entries({ ...friend.people, ...people }).filter(
      (entry): entry is [string, string[]] => !!entry[1],
    );
    const after = { libraries: libraries ?? [], people: Object.fromEntries(named) };
    expect([audienceOf(after, 'films'), audienceOf(after, 'shows')]).toEqual([audience, ['anna']]);
  }
});

test('names are told apart by commas and lines, and each is kept once as it was written first', () => {
  expect(names(' Anna , ben,anna;\nÄnne Müller\n')).toEqual(['Anna', 'ben', 'Änne Müller']);
});

test('a text without a name names nobody', () => {
  for (const text of ['', ' ', ', ,\n;']) expect(names(text)).toEqual([]);
});

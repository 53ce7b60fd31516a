import { expect, test } from 'vitest';
import { names } from './people';

test('names are told apart by commas and lines, and each is kept once as it was written first', () => {
  expect(names(' Anna , ben,anna;\nÄnne Müller\n')).toEqual(['Anna', 'ben', 'Änne Müller']);
});

test('a text without a name names nobody', () => {
  for (const text of ['', ' ', ', ,\n;']) expect(names(text)).toEqual([]);
});

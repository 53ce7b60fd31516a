import { beforeEach, expect, it, vi } from 'vitest';
import { keepManner, mannerOf } from './preferences';

let stored = new Map<string, string>();
beforeEach(() => {
  stored = new Map();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  });
});

it('a book is read as it asks for', () => {
  expect(mannerOf('s', null)).toEqual({ mode: 'single', direction: 'ltr', fit: 'screen' });
  expect(mannerOf('s', 'rtl')).toMatchObject({ mode: 'single', direction: 'rtl' });
  expect(mannerOf('s', 'webtoon')).toMatchObject({ mode: 'webtoon', direction: 'ltr' });
});

it('what was chosen counts for its series alone', () => {
  keepManner('s', { direction: 'ltr' });
  keepManner('s', { mode: 'double' });
  expect(mannerOf('s', 'rtl')).toMatchObject({ mode: 'double', direction: 'ltr' });
  expect(mannerOf('other', 'rtl')).toMatchObject({ mode: 'single', direction: 'rtl' });
});

it('the series longest untouched is forgotten', () => {
  for (let i = 0; i <= 200; i += 1) keepManner(`s${i}`, { mode: 'double' });
  expect(mannerOf('s0', null).mode).toBe('single');
  expect(mannerOf('s1', null).mode).toBe('double');
});

it.each(['nonsense', '[1]', '{"s":{"mode":"upside-down","fit":3}}', '{"s":null}'])(
  '%s in storage is passed over',
  (text) => {
    stored.set('potluck.reader', text);
    expect(mannerOf('s', null)).toEqual({ mode: 'single', direction: 'ltr', fit: 'screen' });
  },
);

import { expect, it } from 'vitest';
import { actionFor, type Key } from './keys';

function key(name: string, held: Partial<Key> = {}): Key {
  return { key: name, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...held };
}

it.each([
  [' ', { do: 'toggle' }],
  ['ArrowLeft', { do: 'seek', by: -5 }],
  ['ArrowRight', { do: 'seek', by: 5 }],
  ['ArrowUp', { do: 'volume', by: 0.05 }],
  ['ArrowDown', { do: 'volume', by: -0.05 }],
  ['f', { do: 'fullscreen' }],
  ['F', { do: 'fullscreen' }],
  ['m', { do: 'mute' }],
  ['c', { do: 'subtitles' }],
  ['a', { do: 'audio' }],
  ['n', { do: 'next' }],
  ['i', { do: 'info' }],
  ['Escape', { do: 'close' }],
  ['0', { do: 'jump', share: 0 }],
  ['7', { do: 'jump', share: 0.7 }],
  ['x', null],
  ['F5', null],
])('%s', (name, action) => expect(actionFor(key(name), false)).toEqual(action));

it('with Shift, arrows leap 30 seconds', () =>
  expect(actionFor(key('ArrowRight', { shiftKey: true }), false)).toEqual({ do: 'seek', by: 30 }));

it('Space belongs to a focused button', () => expect(actionFor(key(' '), true)).toBe(null));

it('keys with Ctrl, Alt or Meta are left to the browser', () => {
  expect(actionFor(key('f', { ctrlKey: true }), false)).toBe(null);
  expect(actionFor(key('ArrowLeft', { altKey: true }), false)).toBe(null);
  expect(actionFor(key('c', { metaKey: true }), false)).toBe(null);
});

import { describe, expect, it } from 'vitest';
import { t } from '../../strings';
import { actionFor, zoneOf, type Where } from './keys';

const plain = { shiftKey: false, ctrlKey: false, altKey: false, metaKey: false };
const press = (key: string, where: Partial<Where> = {}, held = {}) =>
  actionFor({ ...plain, ...held, key }, { direction: 'ltr', focus: 'page', ...where });

describe('keys', () => {
  it('arrows lead where they point', () => {
    expect(press('ArrowRight')).toEqual({ do: 'turn', by: 1 });
    expect(press('ArrowRight', { direction: 'rtl' })).toEqual({ do: 'turn', by: -1 });
    expect(press('ArrowLeft', { direction: 'rtl' })).toEqual({ do: 'turn', by: 1 });
  });

  it('page keys and Space follow the story, whatever its direction', () => {
    expect(press('PageDown', { direction: 'rtl' })).toEqual({ do: 'turn', by: 1 });
    expect(press(' ', { direction: 'rtl' })).toEqual({ do: 'advance', by: 1 });
    expect(press(' ', {}, { shiftKey: true })).toEqual({ do: 'advance', by: -1 });
  });

  it('a button keeps Space, a slider its arrows', () => {
    expect(press(' ', { focus: 'button' })).toBeNull();
    expect(press('ArrowRight', { focus: 'slider' })).toBeNull();
    expect(press('f', { focus: 'slider' })).toEqual({ do: 'fullscreen' });
  });

  it('the browser keeps its own keys', () => expect(press('f', {}, { ctrlKey: true })).toBeNull());

  it('every key in the list does something', () => {
    const names: Record<string, string> = { Space: ' ', '← →': 'ArrowLeft', '↑ ↓': 'ArrowUp', Esc: 'Escape' };
    for (const [name] of t.reader.keys) {
      const key = names[name!] ?? name!.split(' ')[0]!;
      expect(press(key), name).not.toBeNull();
    }
  });
});

describe('a tap', () => {
  it('on a side turns, in the middle shows the controls', () =>
    expect([50, 500, 950].map((x) => zoneOf(x, 1000, 'ltr'))).toEqual(['previous', 'middle', 'next']));

  it('on the left leads on where one reads from the right', () => expect(zoneOf(50, 1000, 'rtl')).toBe('next'));
});

import { describe, expect, it } from 'vitest';
import { musicActionFor } from './keys';

const press = (key: string, shiftKey = false, more = {}) => ({
  ...{ key, shiftKey, ctrlKey: false, altKey: false, metaKey: false },
  ...more,
});

describe('keys of the music', () => {
  it('Space plays and pauses, unless a button has the focus', () => {
    expect(musicActionFor(press(' '), false)).toEqual({ do: 'toggle' });
    expect(musicActionFor(press(' '), true)).toBeNull();
  });

  it('with Shift: next, previous, and seeking', () => {
    expect(musicActionFor(press('N', true), true)).toEqual({ do: 'next' });
    expect(musicActionFor(press('P', true), false)).toEqual({ do: 'previous' });
    expect(musicActionFor(press('ArrowRight', true), false)).toEqual({ do: 'seek', by: 10 });
    expect(musicActionFor(press('ArrowRight'), false)).toBeNull();
  });

  it('what belongs to the browser stays with it', () =>
    expect(musicActionFor(press('N', true, { ctrlKey: true }), false)).toBeNull());
});

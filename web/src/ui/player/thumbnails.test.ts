import { describe, expect, it } from 'vitest';
import type { Thumbnails } from '../../api/types';
import { thumbnailAt } from './thumbnails';

const all: Thumbnails = {
  state: 'ready',
  width: 160,
  height: 90,
  columns: 3,
  rows: 2,
  interval: 10,
  sprites: ['/0.jpg', '/1.jpg'],
};

describe('pictures for the seek bar', () => {
  it('are found by time', () => {
    expect(thumbnailAt(all, 0)).toEqual({ url: '/0.jpg', x: 0, y: 0, width: 160, height: 90 });
    expect(thumbnailAt(all, 9.9)).toMatchObject({ x: 0, y: 0 });
    expect(thumbnailAt(all, 47)).toMatchObject({ url: '/0.jpg', x: 160, y: 90 });
    expect(thumbnailAt(all, 60)).toMatchObject({ url: '/1.jpg', x: 0, y: 0 });
  });

  it('are missing where they are not made yet, and nonsense gives none', () => {
    const making: Thumbnails = { ...all, state: 'making', sprites: ['/0.jpg'] };
    expect(thumbnailAt(making, 60)).toBeNull();
    expect(thumbnailAt(null, 1)).toBeNull();
    for (const odd of [{ interval: 0 }, { columns: 0 }, { rows: 0 }, { sprites: [] }]) {
      expect(thumbnailAt({ ...all, ...odd }, 1)).toBeNull();
    }
    expect(thumbnailAt(all, Number.NaN)).toBeNull();
  });
});

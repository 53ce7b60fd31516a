import { describe, expect, it } from 'vitest';
import { bytes, rate } from './bytes';

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [-1, '0 B'],
    [Number.NaN, '0 B'],
    [512, '512 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1440, '1.44 kB'],
    [999_600, '1 MB'],
    [12_340_000, '12.3 MB'],
    [1_400_000_000, '1.4 GB'],
    [8_000_000_000_000, '8 TB'],
  ])('%d is %s', (count, text) => expect(bytes(count)).toBe(text));

  it('a rate is bytes a second', () => expect(rate(18_200_000)).toBe('18.2 MB/s'));
});

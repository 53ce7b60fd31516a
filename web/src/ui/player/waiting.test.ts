import { describe, expect, it } from 'vitest';
import type { Wait } from '../../exchange';
import { reasonOf } from './waiting';

const NOW = 100_000;
const wait = (parts: Partial<Wait> & { rendition?: string }): Wait => ({
  place: { item: 'i', rendition: parts.rendition ?? 'v0-1080', n: 3 },
  why: 'making',
  since: NOW - 1000,
  until: null,
  message: null,
  ...parts,
});
const decision = { method: 'transcode' as const, reason: 'the video is transcoded because it is HEVC' };

describe('what is waited for', () => {
  it('is told after a moment, with the reason of the decision', () => {
    expect(reasonOf([wait({ since: NOW - 200 })], decision, NOW)).toBeNull();
    expect(reasonOf([wait({})], decision, NOW)).toBe('Preparing: the video is transcoded because it is HEVC');
    expect(reasonOf([wait({})], null, NOW)).toBe('Preparing: this part is being transcoded');
    expect(reasonOf([wait({ rendition: 'v0' })], decision, NOW)).toBeNull();
    expect(reasonOf([], decision, NOW)).toBeNull();
  });

  it('is a busy node before all else, with the seconds that are left', () => {
    const message = 'the node is busy with 2 other films.';
    const busy = wait({ why: 'busy', message, until: NOW + 4200 });
    expect(reasonOf([wait({}), busy], decision, NOW)).toBe('The node is busy with 2 other films; trying again in 5 s');
    expect(reasonOf([wait({ why: 'busy', until: NOW })], decision, NOW)).toBe(
      'The node is busy with other films; trying again in 0 s',
    );
  });

  it('is a part that failed and is asked for again', () => {
    expect(reasonOf([wait({ why: 'failed', until: NOW + 900 })], decision, NOW)).toBe(
      'The node failed on this part; trying again in 1 s',
    );
    expect(reasonOf([wait({ why: 'failed', until: null })], null, NOW)).toBe('Trying this part again');
  });
});

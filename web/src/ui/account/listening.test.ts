import { expect, it } from 'vitest';
import type { ListenBrainz } from '../../api/types';
import { failed, told } from './listening';

const NOW = Date.UTC(2026, 10, 30, 12);
const MINUTE = 60_000;
const state = (more: Partial<ListenBrainz>): ListenBrainz => ({
  connected: true,
  name: 'ada_l',
  refused: false,
  waiting: 0,
  told: 0,
  ...more,
});

it('says that nothing was told yet', () => {
  expect(told(state({}), NOW)).toEqual(['Nothing was told yet.']);
  expect(failed(state({}), NOW)).toBeNull();
});

it('counts what was told and what waits', () => {
  const busy = state({ told: 12, told_at: NOW - 5 * MINUTE, waiting: 1 });
  expect(told(busy, NOW)).toEqual(['12 plays were told, the last 5 minutes ago.', '1 play waits.']);
  expect(told(state({ told: 1, told_at: NOW, waiting: 3 }), NOW)).toEqual([
    '1 play was told, the last just now.',
    '3 plays wait.',
  ]);
});

it('says what failed and when, and above all that the token is not taken', () => {
  const away = state({ failed_at: NOW - 60 * MINUTE, failure: 'it answered 503' });
  expect(failed(away, NOW)).toBe('It failed 1 hour ago: it answered 503');
  expect(failed({ ...away, refused: true }, NOW)).toContain('does not take this token any more');
});

import { expect, it } from 'vitest';
import { ago, clock, length, uptime } from './time';

it.each([
  [0, '0:00'],
  [7.9, '0:07'],
  [123, '2:03'],
  [3723, '1:02:03'],
  [-4, '0:00'],
  [Number.NaN, '0:00'],
])('the clock shows %d as %s', (seconds, text) => expect(clock(seconds)).toBe(text));

it.each([
  [0, '0 s'],
  [35, '35 s'],
  [59.6, '1 min'],
  [2520, '42 min'],
  [3599, '1 h'],
  [6720, '1 h 52 min'],
])('%d seconds last %s', (seconds, text) => expect(length(seconds)).toBe(text));

it.each([
  [90, '2 min'],
  [86_400, '1 d'],
  [273_600, '3 d 4 h'],
])('%d seconds up are %s', (seconds, text) => expect(uptime(seconds)).toBe(text));

it.each([
  [10_000, 'just now'],
  [60_000, '1 minute ago'],
  [3 * 3_600_000, '3 hours ago'],
  [86_400_000, 'yesterday'],
  [400 * 86_400_000, 'last year'],
])('%d ms before is %s', (before, text) => expect(ago(1e13 - before, 1e13)).toBe(text));

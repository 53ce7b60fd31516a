import { expect, it } from 'vitest';
import { accentOf, RESTING } from './accent';

function picture(...colours: [number, number, number][]): Uint8ClampedArray {
  return new Uint8ClampedArray(colours.flatMap(([r, g, b]) => [r, g, b, 255]));
}

function near(actual: number, hue: number): boolean {
  const apart = Math.abs(actual - hue) % 360;
  return Math.min(apart, 360 - apart) < 12;
}

it.each([
  ['red', [220, 40, 40], 28],
  ['green', [40, 180, 60], 145],
  ['blue', [50, 80, 220], 265],
] as [string, [number, number, number], number][])('%s artwork gives its own hue', (_name, colour, hue) =>
  expect(near(accentOf(picture(colour, [20, 20, 20], [240, 240, 240])).hue, hue)).toBe(true),
);

it('grey artwork keeps the resting hue, weakly', () =>
  expect(accentOf(picture([90, 90, 90], [200, 200, 201]))).toEqual({ hue: RESTING.hue, tint: 0.25 }));

it('no pixels are no reason to fail', () => expect(accentOf(new Uint8ClampedArray()).hue).toBe(RESTING.hue));

it('the hue that most pixels share wins over a single bright one', () => {
  const sea: [number, number, number][] = Array.from({ length: 12 }, () => [30, 90, 140]);
  expect(near(accentOf(picture(...sea, [255, 60, 0])).hue, 245)).toBe(true);
});

import { expect, it, vi } from 'vitest';
import { Saver } from './saver';

function watched() {
  const save = vi.fn(async () => {});
  return { save, saver: new Saver('film', 0, save) };
}

it('saves every ten seconds while playing', () => {
  const { save, saver } = watched();
  for (let second = 1; second <= 25; second += 1) saver.played(second, 1000);
  expect(save.mock.calls).toEqual([
    ['film', { position: 10, completed: false }, false],
    ['film', { position: 20, completed: false }, false],
  ]);
});

it('saves the rest on leaving, once', () => {
  const { save, saver } = watched();
  saver.played(10, 1000);
  saver.now(14.26, 1000, true);
  saver.now(14.3, 1000, true);
  expect(save).toHaveBeenLastCalledWith('film', { position: 14.3, completed: false }, true);
  expect(save).toHaveBeenCalledTimes(2);
});

it('a film at its credits is watched', () => {
  const { save, saver } = watched();
  saver.now(970, 1000);
  expect(save).toHaveBeenCalledWith('film', { position: 970, completed: true }, false);
});

it('nothing is saved before the film is known', () => {
  const { save, saver } = watched();
  saver.now(5, Number.NaN);
  expect(save).not.toHaveBeenCalled();
});

it('a failed save does not stop the film', () => {
  const saver = new Saver('film', 0, () => Promise.reject(new Error('gone')));
  expect(() => saver.now(30, 1000)).not.toThrow();
});

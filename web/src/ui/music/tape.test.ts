import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Sound } from './sound.ts';
import { Tape } from './tape.ts';

const RATE = 1000;

/** What was started: at which frame of the context, from which of its own, and when it was stopped. */
interface Started {
  at: number;
  from: number;
  stopped: number | null;
  onended: (() => void) | null;
}
let started: Started[] = [];

beforeEach(() => {
  started = [];
  vi.stubGlobal(
    'AudioBufferSourceNode',
    class implements Started {
      at = 0;
      from = 0;
      stopped: number | null = null;
      onended: (() => void) | null = null;
      connect() {}
      disconnect() {}
      start(when: number, offset: number) {
        this.at = Math.round(when * RATE);
        this.from = Math.round(offset * RATE);
        started.push(this);
      }
      stop(when?: number) {
        this.stopped = when === undefined ? -1 : Math.round(when * RATE);
      }
    },
  );
});
afterEach(() => vi.unstubAllGlobals());

function tapeOf(frames: number, complete: boolean) {
  const context = { sampleRate: RATE, currentTime: 0 };
  const sound = { buffer: { length: frames }, frames, complete };
  const events = { ended: vi.fn(), waits: vi.fn() };
  const parts = [context, {}, sound, events] as unknown as ConstructorParameters<typeof Tape>;
  return {
    context,
    sound: sound as unknown as Sound & { frames: number; complete: boolean },
    events,
    tape: new Tape(...parts),
  };
}

it('the next begins at the frame after the last', () => {
  const { tape, context } = tapeOf(5000, true);
  const next = tapeOf(3000, true).tape;
  expect(tape.end).toBeNull();
  tape.seek(1);
  context.currentTime = 7;
  tape.play();
  expect([started[0]!.at, started[0]!.from, tape.end]).toEqual([7030, 1000, 11_030]);
  next.runAt(tape.end!);
  expect([started[1]!.at, started[1]!.from, next.end]).toEqual([11_030, 0, 14_030]);
});

it('what was told to begin later begins at once for whoever skips to it, and not at all where it is held', () => {
  const { tape, context } = tapeOf(5000, true);
  tape.runAt(60_000);
  tape.cancel();
  expect([started[0]!.stopped, tape.position]).toEqual([-1, 0]);
  tape.runAt(60_000);
  context.currentTime = 1;
  tape.play();
  expect([started[1]!.stopped, started[2]!.at]).toEqual([-1, 1030]);
  tape.play();
  expect(started.length).toBe(3);
});

it('a longer beginning goes on at the very frame where the shorter one stops', () => {
  const { tape, sound, context, events } = tapeOf(2000, false);
  tape.play();
  context.currentTime = 0.5;
  Object.assign(sound, { frames: 9000, complete: true, buffer: { length: 9000 } });
  tape.grown();
  expect(started[0]!.stopped).toBe(530);
  expect([started[1]!.at, started[1]!.from]).toEqual([530, 500]);
  expect([tape.position, tape.end]).toEqual([0.47, 9030]);
  started[1]!.onended?.();
  expect([events.ended.mock.calls.length, tape.position]).toEqual([1, 9]);
});

it('what is not there yet is waited for', () => {
  const { tape, sound, events } = tapeOf(2000, false);
  tape.play();
  started[0]!.onended?.();
  expect(events.waits.mock.calls).toEqual([[true]]);
  Object.assign(sound, { frames: 4000, buffer: { length: 4000 } });
  tape.grown();
  expect([started[1]!.from, events.waits.mock.calls.at(-1)]).toEqual([2000, [false]]);
  // More came before the end of what was loaded was heard, too late to be joined to it.
  Object.assign(sound, { frames: 8000, complete: true, buffer: { length: 8000 } });
  started[1]!.onended?.();
  expect([started[2]!.from, events.ended.mock.calls.length]).toEqual([4000, 0]);
});

it('only what came can be sought at once', () => {
  const { tape, sound } = tapeOf(2000, false);
  expect([tape.reaches(1.9), tape.reaches(2.1), tape.duration]).toEqual([true, false, NaN]);
  Object.assign(sound, { complete: true });
  expect([tape.reaches(2.1), tape.duration]).toEqual([true, 2]);
});

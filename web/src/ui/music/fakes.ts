/** What a browser has of audio elements, as far as tests look at it. */
import { vi } from 'vitest';

export class FakeElement extends EventTarget {
  preload = '';
  src = '';
  currentTime = 0;
  duration = NaN;
  paused = true;
  ended = false;
  readyState = 0;
  seekable: TimeRanges = { length: 0, start: () => 0, end: () => 0 };
  play = vi.fn(async () => {
    this.paused = false;
  });
  pause = vi.fn(() => {
    this.paused = true;
  });
  load = vi.fn();
  hasAttribute = () => this.src !== '';
  removeAttribute = () => (this.src = '');
  says = (name: string) => this.dispatchEvent(new Event(name));
}

/** The last element that was made. */
export function fakeAudio(): { element: () => FakeElement; asElement: (fake: FakeElement) => HTMLAudioElement } {
  let last: FakeElement | null = null;
  const Fake = class extends FakeElement {
    constructor() {
      super();
      last = this;
    }
  };
  vi.stubGlobal('Audio', Fake);
  vi.stubGlobal('HTMLMediaElement', { HAVE_NOTHING: 0, HAVE_FUTURE_DATA: 3 });
  vi.stubGlobal(
    'MediaElementAudioSourceNode',
    class {
      connect() {}
    },
  );
  return { element: () => last!, asElement: (fake) => fake as unknown as HTMLAudioElement };
}

/** What a key does to the music, anywhere in the page. Few, and none that lists or fields need. */
import type { Key } from '../player/keys';

export type MusicAction =
  { do: 'toggle' } | { do: 'next' } | { do: 'previous' } | { do: 'seek'; by: number } | { do: 'mute' };

const SEEK_SECONDS = 10;

/** `onControl`: a button, slider or the like has the focus, and Space and arrows are its own. */
export function musicActionFor(event: Key, onControl: boolean): MusicAction | null {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const { key, shiftKey } = event;
  if (key === ' ') return onControl || shiftKey ? null : { do: 'toggle' };
  if (key === 'm') return { do: 'mute' };
  if (!shiftKey) return null;
  if (key === 'N') return { do: 'next' };
  if (key === 'P') return { do: 'previous' };
  if (onControl) return null;
  if (key === 'ArrowLeft') return { do: 'seek', by: -SEEK_SECONDS };
  if (key === 'ArrowRight') return { do: 'seek', by: SEEK_SECONDS };
  return null;
}

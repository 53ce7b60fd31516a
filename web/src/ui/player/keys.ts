/** What a key does in the player. Pure, so that the list of keys in the strings can be held against it. */
export type Action =
  | { do: 'toggle' }
  | { do: 'seek'; by: number }
  | { do: 'jump'; share: number }
  | { do: 'volume'; by: number }
  | { do: 'fullscreen' }
  | { do: 'mute' }
  | { do: 'subtitles' }
  | { do: 'audio' }
  | { do: 'quality' }
  | { do: 'next' }
  | { do: 'info' }
  | { do: 'close' };

export interface Key {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

const STEP_SECONDS = 5;
const LEAP_SECONDS = 30;
const VOLUME_STEP = 0.05;

/** `onControl`: a button or the like has the focus, and Space and Enter are its own. */
export function actionFor(event: Key, onControl: boolean): Action | null {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const seconds = event.shiftKey ? LEAP_SECONDS : STEP_SECONDS;
  switch (event.key.length === 1 ? event.key.toLowerCase() : event.key) {
    case ' ':
      return onControl ? null : { do: 'toggle' };
    case 'ArrowLeft':
      return { do: 'seek', by: -seconds };
    case 'ArrowRight':
      return { do: 'seek', by: seconds };
    case 'ArrowUp':
      return { do: 'volume', by: VOLUME_STEP };
    case 'ArrowDown':
      return { do: 'volume', by: -VOLUME_STEP };
    case 'f':
      return { do: 'fullscreen' };
    case 'm':
      return { do: 'mute' };
    case 'c':
      return { do: 'subtitles' };
    case 'a':
      return { do: 'audio' };
    case 'q':
      return { do: 'quality' };
    case 'n':
      return { do: 'next' };
    case 'i':
      return { do: 'info' };
    case 'Escape':
      return { do: 'close' };
  }
  return /^[0-9]$/.test(event.key) ? { do: 'jump', share: Number(event.key) / 10 } : null;
}

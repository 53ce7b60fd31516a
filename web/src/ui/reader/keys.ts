/** What a key does in the reader. Pure, so that the list of keys in the strings can be held against it. */
import type { Key } from '../player/keys';

export type Action =
  /** To the next pages or the ones before. */
  | { do: 'turn'; by: 1 | -1 }
  /** On by a window's height, and to the next page where this one ends. */
  | { do: 'advance'; by: 1 | -1 }
  /** A little down or up. */
  | { do: 'shift'; by: 1 | -1 }
  | { do: 'end'; to: 'first' | 'last' }
  /** 0 is back to the fit. */
  | { do: 'zoom'; by: 1 | -1 | 0 }
  | { do: 'fullscreen' }
  | { do: 'menu' }
  | { do: 'double' }
  | { do: 'direction' }
  | { do: 'info' }
  | { do: 'next' }
  | { do: 'close' };

/** The slider moves by these itself. */
const OF_SLIDER = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End', 'PageUp', 'PageDown'];

export interface Where {
  direction: 'ltr' | 'rtl';
  /** What has the focus: Space and Enter are a button's own, arrows a slider's. */
  focus: 'page' | 'button' | 'slider';
}

export function actionFor(event: Key, { direction, focus }: Where): Action | null {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  if (focus === 'slider' && OF_SLIDER.includes(event.key)) return null;
  const toRight = direction === 'rtl' ? -1 : 1;
  switch (event.key.length === 1 ? event.key.toLowerCase() : event.key) {
    case 'ArrowRight':
      return { do: 'turn', by: toRight };
    case 'ArrowLeft':
      return { do: 'turn', by: toRight === 1 ? -1 : 1 };
    case 'PageDown':
      return { do: 'turn', by: 1 };
    case 'PageUp':
      return { do: 'turn', by: -1 };
    case ' ':
      return focus === 'button' ? null : { do: 'advance', by: event.shiftKey ? -1 : 1 };
    case 'ArrowDown':
      return { do: 'shift', by: 1 };
    case 'ArrowUp':
      return { do: 'shift', by: -1 };
    case 'Home':
      return { do: 'end', to: 'first' };
    case 'End':
      return { do: 'end', to: 'last' };
    case '+':
    case '=':
      return { do: 'zoom', by: 1 };
    case '-':
      return { do: 'zoom', by: -1 };
    case '0':
      return { do: 'zoom', by: 0 };
    case 'f':
      return { do: 'fullscreen' };
    case 'm':
      return { do: 'menu' };
    case 'd':
      return { do: 'double' };
    case 'r':
      return { do: 'direction' };
    case 'i':
      return { do: 'info' };
    case 'n':
      return { do: 'next' };
    case 'Escape':
      return { do: 'close' };
  }
  return null;
}

/** What a tap does, by where it fell: the sides turn, the middle shows or hides the controls. */
export function zoneOf(x: number, width: number, direction: 'ltr' | 'rtl'): 'next' | 'previous' | 'middle' {
  const share = width > 0 ? x / width : 0.5;
  if (share >= 0.3 && share <= 0.7) return 'middle';
  return share > 0.7 === (direction === 'ltr') ? 'next' : 'previous';
}

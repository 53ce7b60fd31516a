/** What a person chose on this device, kept from film to film. What storage gives back is not trusted. */

/** `auto`, the file's own picture, or a rung by its lines. */
export type Quality = 'auto' | 'original' | number;

/** Of subtitles: share of the picture's height, in percent. */
export const TEXT_SIZES = { small: 3.8, medium: 5, large: 6.4, huge: 8.2 } as const;
export type TextSize = keyof typeof TEXT_SIZES;

const KEY = 'potluck.player';

interface Kept {
  quality: Quality;
  /** At most 720 lines, unless more was chosen by hand. */
  saveData: boolean;
  /** Language of the sound track last chosen by hand. */
  sound: string | null;
  /** Language of the subtitles last chosen by hand; `off` when they were switched off; null before any choice. */
  subtitles: string | null;
  textSize: TextSize;
  /** Bits a second that were last measured. */
  bandwidth: number | null;
}

export type Preference = keyof Kept;

const rules: { [Name in Preference]: (value: unknown) => Kept[Name] } = {
  quality: (value) => (value === 'original' || (typeof value === 'number' && value > 0) ? (value as Quality) : 'auto'),
  saveData: (value) => (typeof value === 'boolean' ? value : asksToSave()),
  sound: text,
  subtitles: text,
  textSize: (value) => (typeof value === 'string' && value in TEXT_SIZES ? (value as TextSize) : 'medium'),
  bandwidth: (value) => (typeof value === 'number' && value > 0 && Number.isFinite(value) ? value : null),
};

export function preference<Name extends Preference>(name: Name): Kept[Name] {
  return rules[name](kept()[name]);
}

export function prefer<Name extends Preference>(name: Name, value: Kept[Name]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...kept(), [name]: value }));
  } catch {
    // A full or forbidden storage forgets; nothing else suffers.
  }
}

function kept(): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value.length < 64 ? value : null;
}

/** The browser's own data saver. */
function asksToSave(): boolean {
  return (navigator as { connection?: { saveData?: boolean } }).connection?.saveData ?? false;
}

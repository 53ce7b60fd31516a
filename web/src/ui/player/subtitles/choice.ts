/** Which subtitle track to begin with. Pure. */
import type { Stream, SubtitleTrack } from '../../../api/types';

/**
 * `wish` is what was last chosen by hand: a language, `off`, or null before any choice. Without a track of the wish,
 * forced ones of the language that is spoken are shown: signs and songs that everybody is meant to read. Pictures need
 * the whole film encoded anew, so they are only taken when chosen by hand.
 */
export function firstTrack(
  tracks: readonly SubtitleTrack[],
  wish: string | null,
  spoken: string | null,
): SubtitleTrack | null {
  const shown = tracks.filter(({ format }) => format !== 'picture');
  const full = shown.filter(({ forced }) => !forced);
  if (wish && wish !== 'off') {
    const same = full.filter(({ language }) => sameLanguage(language, wish));
    const best = same.find((track) => track.default) ?? same[0];
    if (best) return best;
  }
  const forced = shown.filter((track) => track.forced);
  return (
    forced.find(({ language }) => sameLanguage(language, spoken)) ??
    (spoken === null ? forced[0] : forced.find(({ language }) => !language)) ??
    null
  );
}

/** After this one; none after the last. Pictures are left out: each press would have the film encoded anew. */
export function nextTrack(tracks: readonly SubtitleTrack[], now: string | null): SubtitleTrack | null {
  const shown = tracks.filter(({ id, format }) => format !== 'picture' || id === now);
  const at = shown.findIndex(({ id }) => id === now);
  return shown[at + 1] ?? null;
}

/** Language of the sound that will play: of the language last chosen where there is one, else the default. */
export function spokenIn(streams: readonly Stream[], wish: string | null): string | null {
  const sounds = streams.filter(({ kind }) => kind === 'audio');
  const played =
    sounds.find(({ language }) => sameLanguage(language, wish)) ?? sounds.find((sound) => sound.default) ?? sounds[0];
  return played?.language ?? null;
}

/** `en` and `eng` are one: files say it in two letters, three, or three others. */
export function sameLanguage(one: string | null | undefined, other: string | null | undefined): boolean {
  if (!one || !other) return false;
  return canonical(one) === canonical(other);
}

const BIBLIOGRAPHIC: Record<string, string> = {
  fre: 'fr',
  ger: 'de',
  dut: 'nl',
  chi: 'zh',
  cze: 'cs',
  gre: 'el',
  ice: 'is',
  per: 'fa',
  rum: 'ro',
  slo: 'sk',
};

function canonical(code: string): string {
  const lower = code.toLowerCase();
  try {
    return new Intl.Locale(BIBLIOGRAPHIC[lower] ?? lower).language;
  } catch {
    return lower;
  }
}

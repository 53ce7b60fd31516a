/** What stands in the player's menus. */
import type { Stream } from '../../api/types';
import { t } from '../../strings';
import type { Ladder } from './ladder.svelte';
import { autoName, rungDetail, rungName, soundName, subtitleName } from './names';
import type { Playback } from './playback.svelte';
import { TEXT_SIZES, type TextSize } from './preferences';
import { rungFor, wishOf } from './quality';
import type { Subtitles } from './subtitles/subtitles.svelte';

/** One thing that can be chosen. */
export interface Choice {
  id: string;
  name: string;
  /** Smaller, under it: what choosing it means. */
  detail?: string | null | undefined;
  chosen: boolean;
  choose: () => void;
}

/** Choices that belong together: one of several, or switches that are each on or off. */
export interface Group {
  label: string;
  kind: 'one' | 'switches';
  choices: Choice[];
}

export function qualityGroups(ladder: Ladder): Group[] {
  const auto = ladder.wish === 'auto';
  const chosen = rungFor(ladder.rungs, ladder.wish);
  const choices: Choice[] = [
    { id: 'auto', name: autoName(ladder.now, auto), chosen: auto, choose: () => ladder.choose('auto') },
    ...ladder.rungs.map((rung) => ({
      id: rung.rendition,
      name: rungName(rung),
      detail: rungDetail(rung),
      chosen: rung.rendition === chosen?.rendition,
      choose: () => ladder.choose(wishOf(rung)),
    })),
  ];
  const saving: Choice = {
    id: 'save-data',
    name: t.player.saveData,
    detail: t.player.saveDataHelp,
    chosen: ladder.saveData,
    choose: () => ladder.save(!ladder.saveData),
  };
  return [
    { label: t.player.quality, kind: 'one', choices },
    { label: t.player.settings, kind: 'switches', choices: [saving] },
  ];
}

export function soundGroups(playback: Playback, streams: readonly Stream[]): Group[] {
  const choices = playback.audio.map((track, at) => ({
    id: String(track.id),
    ...soundName(track, at, streams, playback.renditions),
    chosen: track.id === playback.audioNow,
    choose: () => playback.chooseAudio(track.id),
  }));
  return [{ label: t.player.audio, kind: 'one', choices }];
}

export function subtitleGroups(subtitles: Subtitles): Group[] {
  const off: Choice = {
    id: 'off',
    name: t.player.off,
    chosen: subtitles.now === null,
    choose: () => void subtitles.choose(null),
  };
  const tracks = subtitles.tracks.map((track, at) => ({
    id: track.id,
    ...subtitleName(track, at),
    chosen: track.id === subtitles.now,
    choose: () => void subtitles.choose(track.id),
  }));
  const sizes = (Object.keys(TEXT_SIZES) as TextSize[]).map((size) => ({
    id: size,
    name: t.player.textSizes[size],
    chosen: size === subtitles.size,
    choose: () => subtitles.resize(size),
  }));
  const hasText = subtitles.tracks.some(({ format }) => format === 'text');
  return [
    { label: t.player.subtitles, kind: 'one', choices: [off, ...tracks] },
    ...(hasText ? [{ label: t.player.textSize, kind: 'one' as const, choices: sizes }] : []),
  ];
}

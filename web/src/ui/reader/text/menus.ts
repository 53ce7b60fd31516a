/** What stands in the menus of a book of text. */
import { t } from '../../../strings';
import type { Group } from '../../player/menus';
import type { ContentsEntry } from './book';
import { PAPERS, TEXT_SIZES, type TextManner } from './preferences';

export function contentsGroups(
  contents: ContentsEntry[],
  chapter: number,
  choose: (entry: ContentsEntry) => void,
): Group[] {
  if (contents.length === 0) return [];
  const here = contents.findLastIndex((entry) => entry.chapter <= chapter);
  const choices = contents.map((entry, at) => ({
    id: `${at}`,
    name: '\u2003'.repeat(Math.min(3, entry.depth)) + entry.label,
    chosen: at === here,
    choose: () => choose(entry),
  }));
  return [{ label: t.reader.contents, kind: 'one', choices }];
}

export function mannerGroups(manner: TextManner, choose: (chosen: Partial<TextManner>) => void): Group[] {
  const papers = PAPERS.map((paper) => ({
    id: paper,
    name: t.reader.papers[paper],
    chosen: paper === manner.paper,
    choose: () => choose({ paper }),
  }));
  const sizes = TEXT_SIZES.map((size) => ({
    id: `size-${size}`,
    name: t.reader.zoomIs(size),
    chosen: size === manner.size,
    choose: () => choose({ size }),
  }));
  return [
    { label: t.reader.paper, kind: 'one', choices: papers },
    { label: t.player.textSize, kind: 'one', choices: sizes },
  ];
}

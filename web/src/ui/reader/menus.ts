/** What stands in the reader's menu. */
import { t } from '../../strings';
import type { Group } from '../player/menus';
import { FITS, MODES, type Manner } from './preferences';
import type { Reading } from './reading.svelte';

export function mannerGroups(reading: Reading): Group[] {
  const choice = <Name extends keyof Manner>(of: Name, value: Manner[Name], name: string, detail?: string | null) => ({
    id: `${of}-${value}`,
    name,
    detail,
    chosen: reading[of] === value,
    choose: () => reading.choose({ [of]: value }),
  });
  const modes: Group = {
    label: t.reader.mode,
    kind: 'one',
    choices: MODES.map((mode) => choice('mode', mode, t.reader.modes[mode], t.reader.modeHelp[mode])),
  };
  const directions: Group = {
    label: t.reader.direction,
    kind: 'one',
    choices: (['ltr', 'rtl'] as const).map((one) => choice('direction', one, t.reader.directions[one])),
  };
  const fits: Group = {
    label: t.reader.fit,
    kind: 'one',
    choices: FITS.map((fit) => choice('fit', fit, t.reader.fits[fit])),
  };
  // Pages under each other have no left and right; a webtoon has its column.
  return [modes, ...(reading.strip ? [] : [directions]), ...(reading.mode === 'webtoon' ? [] : [fits])];
}

/** What the page says of plays that are told to ListenBrainz. Pure. */
import type { ListenBrainz } from '../../api/types';
import { t } from '../../strings';
import { ago } from '../text/time';

/** What was told and what waits: one sentence each, the most important first. `now` in Unix milliseconds. */
export function told(state: ListenBrainz, now: number): string[] {
  const s = t.account.listening;
  const said = state.told_at ? s.told(state.told, ago(state.told_at, now)) : s.nothingTold;
  return state.waiting > 0 ? [said, s.waiting(state.waiting)] : [said];
}

/** What went wrong last, as long as nothing was told after it; `null` where all is well. */
export function failed(state: ListenBrainz, now: number): string | null {
  if (state.refused) return t.account.listening.refused;
  if (!state.failure || !state.failed_at) return null;
  return t.account.listening.failed(ago(state.failed_at, now), state.failure);
}

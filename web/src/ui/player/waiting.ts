/** The sentence under the spinner. Pure. */
import type { PlaybackDecision } from '../../api/types';
import type { Wait } from '../../exchange';
import { t } from '../../strings';
import { capitalised } from '../text/facts';

/** A wait is worth a word after this long. */
const WORD_MS = 300;

/** What is waited for, in words; null where a spinner says enough. */
export function reasonOf(waits: readonly Wait[], decision: PlaybackDecision | null, now: number): string | null {
  const long = waits.filter(({ since }) => now - since >= WORD_MS);
  const busy = long.find(({ why }) => why === 'busy');
  if (busy) return t.player.busy(sentence(busy.message) ?? t.player.busyPlain, secondsUntil(busy, now));
  const failed = long.find(({ why }) => why === 'failed');
  if (failed) return t.player.failedOnce(secondsUntil(failed, now));
  const made = long.find(({ why, place }) => why === 'making' && isTranscoded(place.rendition));
  if (!made) return null;
  return decision?.reason ? t.player.preparing(decision.reason) : t.player.preparingPlain;
}

/** Copied renditions have no dash in their names. */
function isTranscoded(rendition: string): boolean {
  return rendition.includes('-');
}

function secondsUntil({ until }: Wait, now: number): number {
  return until === null ? 0 : Math.max(0, Math.ceil((until - now) / 1000));
}

function sentence(said: string | null): string | null {
  return said ? capitalised(said).replace(/\.$/, '') : null;
}

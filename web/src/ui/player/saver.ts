/**
 * Tells the node how far one is: every ten seconds while playing, on pause, and on leaving. A save that fails is not
 * repeated: the next one carries more.
 */
import { api } from '../../api/client';
import type { Progress } from '../../api/types';
import { isCompleted } from './timeline';

const EVERY_SECONDS = 10;

export class Saver {
  private saved: number;

  constructor(
    private readonly item: string,
    from: number,
    private readonly save: (
      item: string,
      progress: Progress,
      keepalive: boolean,
    ) => Promise<unknown> = api.saveProgress,
  ) {
    this.saved = from;
  }

  /** The film plays and is at `position`. */
  played(position: number, duration: number): void {
    if (Math.abs(position - this.saved) >= EVERY_SECONDS) this.now(position, duration);
  }

  /** Pause, end, seek: what is not yet saved, at once. `leaving` lets the call outlive the page. */
  now(position: number, duration: number, leaving = false): void {
    if (!(duration > 0) || Math.abs(position - this.saved) < 0.5) return;
    this.saved = position;
    const progress = { position: Math.round(position * 10) / 10, completed: isCompleted(position, duration) };
    this.save(this.item, progress, leaving).catch(() => {});
  }
}

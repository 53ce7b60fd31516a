/**
 * What the node tells by itself: scans as they run, and that lists have changed. Views watch `changes` and `scans`
 * instead of polling.
 */
import { listen } from '../../api/events';
import type { ScanProgress } from '../../api/types';
import { t } from '../../strings';
import { session } from './session.svelte';
import { toasts } from './toasts.svelte';

/** Lists are reloaded at most this often while a scan adds titles. */
const CHANGES_EVERY_MS = 1000;

class Live {
  /** Scans by library; finished ones stay until the next. */
  scans: Record<string, ScanProgress> = $state({});
  /** Grows when items or libraries changed. */
  changes = $state(0);
  /** Grows when a friend's node came or went. */
  friends = $state(0);
  /** Grows when what is kept of friends' libraries moved on. */
  replicas = $state(0);
  connected = $state(true);

  private timer: ReturnType<typeof setTimeout> | undefined;

  readonly running: ScanProgress[] = $derived(
    Object.values(this.scans).filter((scan) => scan.state === 'listing' || scan.state === 'importing'),
  );

  /** Listens while somebody is signed in; call in an effect. */
  start(): () => void {
    for (const library of session.libraries) if (library.scan) this.scans[library.id] = library.scan;
    const stop = listen({
      scan: (progress) => this.onScan(progress),
      item: () => this.changed(),
      library: () => this.onLibrary(),
      friends: () => (this.friends += 1),
      replicas: () => (this.replicas += 1),
      reset: () => this.onLibrary(),
      onState: (connected) => (this.connected = connected),
    });
    return () => {
      stop();
      clearTimeout(this.timer);
      this.timer = undefined;
      this.scans = {};
    };
  }

  private onScan(progress: ScanProgress): void {
    const before = this.scans[progress.library];
    this.scans[progress.library] = progress;
    const ended = progress.state === 'done' || progress.state === 'failed';
    if (!ended || !before || before.state === progress.state) return;
    this.onLibrary();
    const name = session.library(progress.library)?.name;
    if (name && progress.added + progress.changed + progress.moved + progress.trashed > 0) {
      toasts.say(t.scan.finished(name));
    }
  }

  private onLibrary(): void {
    session.reloadLibraries().catch(() => {});
    this.changed();
  }

  private changed(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.changes += 1;
    }, CHANGES_EVERY_MS);
  }
}

export const live = new Live();

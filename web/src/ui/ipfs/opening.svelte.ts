/**
 * One path of IPFS being opened: looked for, found, or not. Nobody may have it and the wait may be long, so it can be
 * called off; the last one asked for wins.
 */
import { api } from '../../api/client';
import type { IpfsContent } from '../../api/types';

type Phase = 'idle' | 'looking' | 'found' | 'failed' | 'stopped';

export class Opening {
  phase: Phase = $state('idle');
  /** While something else is looked for: what was found before. */
  content: IpfsContent | null = $state.raw(null);
  /** The path at which `content` was found. */
  foundAt = $state('');
  error: unknown = $state.raw(null);

  private path = '';
  private abort: AbortController | null = null;

  /** Looks for `path`; an empty one is no path, and nothing is shown. */
  async open(path: string): Promise<void> {
    this.abort?.abort();
    const { signal } = (this.abort = new AbortController());
    this.path = path;
    this.error = null;
    this.phase = path === '' ? 'idle' : 'looking';
    if (path === '') return;
    try {
      const content = await api.ipfsContent(path, signal);
      if (signal.aborted) return;
      [this.content, this.foundAt, this.phase] = [content, path, 'found'];
    } catch (error) {
      if (signal.aborted) return;
      [this.error, this.phase] = [error, 'failed'];
    }
  }

  again(): Promise<void> {
    return this.open(this.path);
  }

  /** Somebody does not want to wait any longer. */
  cancel(): void {
    this.leave();
    if (this.phase === 'looking') this.phase = 'stopped';
  }

  /** The page goes away: nothing more is asked for. */
  leave(): void {
    this.abort?.abort();
  }
}

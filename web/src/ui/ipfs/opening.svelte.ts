/**
 * One path of IPFS being opened: looked for, found, or not. Nobody may have it and the wait may be long, so it can be
 * called off; the last one asked for wins.
 */
import { api } from '../../api/client';
import type { IpfsContent } from '../../api/types';
import { SNIFFED_BYTES, sniff } from './form';

type Phase = 'idle' | 'looking' | 'found' | 'failed' | 'stopped';

/** A type that says nothing. */
const UNTOLD = 'application/octet-stream';

export class Opening {
  phase: Phase = $state('idle');
  /** While something else is looked for: what was found before. */
  content: IpfsContent | null = $state.raw(null);
  /** Of a file: what the node says, or what its first bytes tell. */
  type: string | null = $state(null);
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
      const type = await typeOf(content, signal);
      if (signal.aborted) return;
      [this.content, this.type, this.phase] = [content, type, 'found'];
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

/** A CID alone has no name that tells a type; its first bytes mostly do. */
async function typeOf({ kind, media_type, size, url }: IpfsContent, signal: AbortSignal): Promise<string | null> {
  if (kind !== 'file' || size === 0 || (media_type && media_type !== UNTOLD)) return media_type;
  try {
    return sniff(await api.firstBytes(url, SNIFFED_BYTES, signal)) ?? media_type;
  } catch {
    return media_type;
  }
}

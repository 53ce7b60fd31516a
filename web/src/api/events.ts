/** The node's server-sent events, typed. The browser reconnects by itself; `onState` tells when it had to. */
import { address } from './client';
import type { ItemChanged, ScanProgress } from './types';

export interface EventHandlers {
  scan: (progress: ScanProgress) => void;
  item: (change: ItemChanged) => void;
  library: () => void;
  /** A friend's node came or went. */
  friends: () => void;
  /** What is kept of friends' libraries moved on. */
  replicas: () => void;
  /** Events were missed: everything may have changed. */
  reset: () => void;
  /** `true` once connected (again), `false` when the connection broke. */
  onState?: (connected: boolean) => void;
}

/** Listens until the returned function is called. */
export function listen(handlers: EventHandlers): () => void {
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  const open = () => {
    source = new EventSource(address.events());
    source.addEventListener('scan', (event) => handlers.scan(JSON.parse(event.data)));
    source.addEventListener('item', (event) => handlers.item(JSON.parse(event.data)));
    source.addEventListener('library', () => handlers.library());
    source.addEventListener('friends', () => handlers.friends());
    source.addEventListener('replicas', () => handlers.replicas());
    source.addEventListener('reset', () => handlers.reset());
    source.onopen = () => handlers.onState?.(true);
    source.onerror = () => {
      handlers.onState?.(false);
      // A refusal closes the source for good: ask again later, the node may only be restarting.
      if (source?.readyState === EventSource.CLOSED && !stopped) retry = setTimeout(open, 5000);
    };
  };
  open();

  return () => {
    stopped = true;
    clearTimeout(retry);
    source?.close();
  };
}

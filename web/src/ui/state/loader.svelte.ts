/** One answer of the node as a view sees it: loading, there, or failed; the last one asked for wins. */
export class Loader<T> {
  value: T | null = $state.raw(null);
  error: unknown = $state.raw(null);
  busy = $state(false);

  private abort: AbortController | null = null;

  /** Keeps the old value in view until the new one is there. */
  async load(ask: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.busy = true;
    try {
      const value = await ask(abort.signal);
      if (abort.signal.aborted) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (abort.signal.aborted) return;
      this.error = error;
    }
    this.busy = false;
  }

  stop(): void {
    this.abort?.abort();
  }
}

/**
 * What to do when a segment does not come: wait and ask again, or give up. A worker that was killed, a device that
 * failed, a node that restarts or is busy with other films cost a pause; only what will not change is an error.
 */

/** The node refused. `word` is its stable word, as in the API's description. */
export class NodeError extends Error {
  override name = 'NodeError';

  constructor(
    readonly status: number,
    readonly word: string,
    message: string,
    /** Seconds after which the node wants to be asked again. */
    readonly retryAfter: number | null,
  ) {
    super(message);
  }

  static async of(response: Response, call: string): Promise<NodeError> {
    const body = (await response.json().catch(() => null)) as { error?: string; message?: string } | null;
    const word = body?.error ?? `http_${response.status}`;
    const after = Number(response.headers.get('retry-after') ?? Number.NaN);
    const message = body?.message ?? `${call}: ${response.status}`;
    return new NodeError(response.status, word, message, Number.isFinite(after) && after >= 0 ? after : null);
  }
}

/** What comes next. */
export type Verdict = { do: 'retry'; afterMs: number; why: 'busy' | 'failed' } | { do: 'give-up' };

/** Failures in a row before it is shown: with the pauses below about twelve seconds. */
export const TRIES = 6;
const FIRST_MS = 250;
const LONGEST_MS = 5000;
const BUSY_MS = 5000;
const BUSY_LONGEST_MS = 30_000;

/** `failures` so far, this one included; being busy is none and may go on for as long as somebody waits. */
export function verdict(error: unknown, failures: number): Verdict {
  if (isBusy(error)) {
    const wish = error.retryAfter === null ? BUSY_MS : error.retryAfter * 1000;
    return { do: 'retry', afterMs: Math.min(Math.max(wish, 500), BUSY_LONGEST_MS), why: 'busy' };
  }
  if (isFinal(error) || failures >= TRIES) return { do: 'give-up' };
  return { do: 'retry', afterMs: Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS), why: 'failed' };
}

/** No slot is free on the node, or it sheds load. */
export function isBusy(error: unknown): error is NodeError {
  return error instanceof NodeError && (error.status === 429 || (error.status === 503 && error.retryAfter !== null));
}

/** The same question will get the same answer. */
function isFinal(error: unknown): boolean {
  return error instanceof NodeError && error.status >= 400 && error.status < 500;
}

/** Resolves after `ms`; rejects with the signal's reason. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve();
    }
    function stop() {
      clearTimeout(timer);
      reject(signal.reason);
    }
    signal.addEventListener('abort', stop, { once: true });
  });
}

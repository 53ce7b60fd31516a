/** Short notes at the foot of the window, some with an undo. */
import { ApiError } from '../../api/client';
import { t } from '../../strings';

export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'bad';
  action?: { label: string; run: () => void };
  detail?: string;
}

const STAYS_MS = 6000;

class Toasts {
  list: Toast[] = $state.raw([]);
  private count = 0;

  say(text: string, action?: Toast['action']): void {
    this.show({ text, tone: 'plain', action });
  }

  /** Says that something could not be done; nothing else happened. */
  fail(error: unknown): void {
    if (error instanceof ApiError && error.status === 401) return;
    this.show({ text: explain(error), tone: 'bad', detail: error instanceof ApiError ? error.detail : String(error) });
  }

  /**
   * Does something that can be taken back: `commit` runs when the note leaves, unless undo was pressed. The caller has
   * already changed what is shown; `revert` changes it back.
   */
  undoable(text: string, commit: () => Promise<unknown>, revert: () => void): void {
    const leave = () => {
      removeEventListener('pagehide', leave);
      commit().catch((error: unknown) => {
        revert();
        this.fail(error);
      });
    };
    addEventListener('pagehide', leave);
    const timer = setTimeout(leave, STAYS_MS);
    this.say(text, {
      label: t.common.undo,
      run: () => {
        clearTimeout(timer);
        removeEventListener('pagehide', leave);
        revert();
      },
    });
  }

  dismiss(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  private show(toast: Omit<Toast, 'id'>): void {
    const id = ++this.count;
    this.list = [...this.list.slice(-2), { ...toast, id }];
    setTimeout(() => this.dismiss(id), STAYS_MS);
  }
}

export const toasts = new Toasts();

/** One sentence for people: what happened. */
export function explain(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.message) return error.message;
    return error.status === 0 ? t.failure.unreachable : `${t.failure.refused} (${error.status})`;
  }
  return String(error);
}

/** What is starred, as it was last changed here: a heart that is pressed in one list is red in all of them. */
import { SvelteMap } from 'svelte/reactivity';
import { api } from '../../api/client';
import { toasts } from '../state/toasts.svelte';

export type Starrable = 'items' | 'artists';

class Hearts {
  private readonly changed = new SvelteMap<string, boolean>();

  /** `told` is what the node said of it. */
  has(id: string, told: number | null | undefined): boolean {
    return this.changed.get(id) ?? told != null;
  }

  async set(kind: Starrable, id: string, starred: boolean): Promise<void> {
    const before = this.changed.get(id);
    this.changed.set(id, starred);
    try {
      await api.star(kind, id, starred);
    } catch (error) {
      if (before === undefined) this.changed.delete(id);
      else this.changed.set(id, before);
      toasts.fail(error);
    }
  }

  forget(): void {
    this.changed.clear();
  }
}

export const hearts = new Hearts();

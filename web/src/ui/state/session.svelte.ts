/** Who is signed in and which libraries they see: what the whole page depends on. */
import { api, ApiError, onSignedOut } from '../../api/client';
import type { Account, Library } from '../../api/types';
import { SECTIONS, type Section } from '../address/route';
import { kindOf } from '../kinds';

type Phase = 'starting' | 'out' | 'in' | 'unreachable';

class Session {
  phase: Phase = $state('starting');
  account: Account | null = $state.raw(null);
  libraries: Library[] = $state.raw([]);
  failure: ApiError | null = $state.raw(null);

  /** Kinds that exist here, in the order of the rail. */
  readonly sections: Section[] = $derived(
    SECTIONS.filter((section) => this.libraries.some((library) => library.kind === kindOf(section))),
  );

  private readonly farewells = new Set<() => void>();

  /** Runs once when whoever is signed in leaves: connections made in their name end with them. */
  onLeave(farewell: () => void): void {
    this.farewells.add(farewell);
  }

  get admin(): boolean {
    return this.account?.admin ?? false;
  }

  library(id: string): Library | undefined {
    return this.libraries.find((library) => library.id === id);
  }

  ofSection(section: Section): Library[] {
    return this.libraries.filter((library) => library.kind === kindOf(section));
  }

  /** Asks the node who is signed in. */
  async start(): Promise<void> {
    onSignedOut(() => this.forget());
    try {
      await this.enter(await api.account());
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.forget();
      else this.fail(error);
    }
  }

  async signIn(name: string, password: string): Promise<void> {
    await this.enter(await api.login(name, password));
  }

  async signOut(): Promise<void> {
    await api.logout().catch(() => {});
    this.forget();
  }

  /** Libraries may have come, gone, or grown. */
  async reloadLibraries(): Promise<void> {
    this.libraries = await api.libraries();
  }

  private async enter(account: Account): Promise<void> {
    this.libraries = await api.libraries();
    this.account = account;
    this.failure = null;
    this.phase = 'in';
  }

  private forget(): void {
    for (const farewell of this.farewells) farewell();
    this.farewells.clear();
    this.account = null;
    this.libraries = [];
    this.phase = 'out';
  }

  private fail(error: unknown): void {
    this.failure = error instanceof ApiError ? error : new ApiError(0, 'unreachable', String(error), 'GET /account');
    this.phase = 'unreachable';
  }
}

export const session = new Session();

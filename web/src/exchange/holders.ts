/**
 * Whose nodes hold a film or book besides the own one, and which blocks of it each can be asked for.
 *
 * A copied segment, or a page, has the same name wherever it is made, but a node knows that name only once it has made it. So
 * every holder is asked for the windows that the player or reader is coming to, over its own channel. What it names, it has;
 * what nobody but it names is never asked for.
 */
import type { Carrier } from './carrier.ts';
import type { Content, Holder } from './planner.ts';

/** A friend's node with the very same file, and the id that the item has there. */
export interface Copy {
  friend: string;
  item: string;
}

/** Who holds an item: friends in order of preference, and whether the own node does. */
export interface Holding {
  copies: Copy[];
  own: boolean;
  /** The friend whose item it is, where it is a friend's. */
  owner?: string | undefined;
}

/** Friends' nodes that are asked for one item; a connection to each stays open. */
const FRIENDS_MAX = 3;
/** Names of blocks that are remembered of one node: of some hours of film. */
const NAMES_MAX = 16_384;
/** A node that is busy may take this long to tell a window. */
const LIST_MS = 10_000;
/** Bytes of such a list at most. */
const LIST_MAX = 1024 * 1024;

interface Known {
  holder: Holder;
  ids: Map<Carrier, string>;
}

export class Holders {
  readonly #open: (friend: string) => Carrier;
  readonly #known = new Map<string, Known>();
  readonly #names = new WeakMap<Carrier, Set<string>>();

  constructor(open: (friend: string) => Carrier) {
    this.#open = open;
  }

  set(item: string, { copies, own, owner }: Holding): void {
    const nodes = copies.slice(0, FRIENDS_MAX).map((copy) => ({ ...copy, carrier: this.#open(copy.friend) }));
    const holder: Holder = {
      item,
      friends: nodes.map(({ carrier }) => carrier),
      own,
      owner: nodes.find(({ friend }) => friend === owner)?.carrier,
      has: (carrier, cid) => this.#names.get(carrier)?.has(cid) ?? false,
    };
    if (nodes.length === 0) this.#known.delete(item);
    else this.#known.set(item, { holder, ids: new Map(nodes.map(({ carrier, item }) => [carrier, item])) });
  }

  /** Who holds an item, if it is not the own node alone. */
  of(item: string): Holder | undefined {
    return this.#known.get(item)?.holder;
  }

  /** A window of pieces with their blocks, as other holders tell it: the first that does; null where there are none. */
  window<T>(item: string, below: string, signal: AbortSignal): Promise<T> | null {
    const { holder, ids } = this.#known.get(item) ?? {};
    if (!holder || !ids || holder.friends.length + Number(holder.own) < 2) return null;
    const ready = holder.friends.filter((carrier) => carrier.ready);
    const asked = ready.map((carrier) => this.#ask(carrier, `${ids.get(carrier) ?? item}/${below}`, signal));
    return asked.length > 0 ? (Promise.any(asked) as Promise<T>) : null;
  }

  async #ask(carrier: Carrier, path: string, signal: AbortSignal): Promise<unknown> {
    const both = AbortSignal.any([signal, AbortSignal.timeout(LIST_MS)]);
    const { status, body } = await carrier.request({
      target: `/api/v1/items/${path}`,
      sizeMax: LIST_MAX,
      signal: both,
    });
    if (status !== 200) throw new Error(`a friend's node answered ${status}`);
    const pieces = JSON.parse(new TextDecoder().decode(body)) as Content[];
    this.#remember(
      carrier,
      pieces.flatMap(({ blocks }) => blocks.map(({ cid }) => cid)),
    );
    return pieces;
  }

  #remember(carrier: Carrier, cids: string[]): void {
    const names = this.#names.get(carrier) ?? new Set();
    this.#names.set(carrier, names);
    for (const cid of cids) {
      // What is named again is remembered longest.
      names.delete(cid);
      names.add(cid);
    }
    for (const oldest of names) {
      if (names.size <= NAMES_MAX) break;
      names.delete(oldest);
    }
  }
}

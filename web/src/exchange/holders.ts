/**
 * Whose nodes hold a film besides the own one, and which blocks of it each can be asked for.
 *
 * A copied segment has the same name wherever it is made, but a node knows that name only once it has made the segment. So
 * every holder is asked for the windows of segments that the player is coming to, over its own channel. What it names, it has;
 * what nobody but it names is never asked for.
 */
import type { Carrier } from './carrier.ts';
import type { Holder } from './planner.ts';
import type { Segment } from './segments.ts';

/** A friend's node with the very same file, and the id that the film has there. */
export interface Copy {
  friend: string;
  item: string;
}

/** Who holds a film: friends in order of preference, and whether the own node does. */
export interface Holding {
  copies: Copy[];
  own: boolean;
  /** The friend whose film it is, where it is a friend's. */
  owner?: string | undefined;
}

/** A window of a rendition's segments. */
export interface Span {
  item: string;
  rendition: string;
  from: number;
  count: number;
}

/** Friends' nodes that are asked for one item; a connection to each stays open. */
const FRIENDS_MAX = 3;
/** Names of blocks that are remembered of one node: of some hours of film. */
const NAMES_MAX = 16_384;
/** A node that is busy may take this long to tell a window. */
const LIST_MS = 10_000;
/** Bytes of a list of segments at most. */
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

  /** The window as other holders tell it, the first that does; null where there are none. */
  window(span: Span, signal: AbortSignal): Promise<Segment[]> | null {
    const { holder, ids } = this.#known.get(span.item) ?? {};
    if (!holder || !ids || holder.friends.length + Number(holder.own) < 2) return null;
    const ready = holder.friends.filter((carrier) => carrier.ready);
    const asked = ready.map((carrier) => this.#ask(carrier, { ...span, item: ids.get(carrier) ?? span.item }, signal));
    return asked.length > 0 ? Promise.any(asked) : null;
  }

  async #ask(carrier: Carrier, { item, rendition, from, count }: Span, signal: AbortSignal): Promise<Segment[]> {
    const target = `/api/v1/items/${item}/renditions/${rendition}/segments?from=${from}&count=${count}`;
    const both = AbortSignal.any([signal, AbortSignal.timeout(LIST_MS)]);
    const { status, body } = await carrier.request({ target, sizeMax: LIST_MAX, signal: both });
    if (status !== 200) throw new Error(`a friend's node answered ${status}`);
    const segments = JSON.parse(new TextDecoder().decode(body)) as Segment[];
    this.#remember(
      carrier,
      segments.flatMap(({ blocks }) => blocks.map(({ cid }) => cid)),
    );
    return segments;
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

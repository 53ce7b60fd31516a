/** The page's one exchange, for films and books alike: from the first title that somebody looks at until they sign out. */
import type { Holder, ItemDetail } from '../../api/types';
import { createExchange, type Exchange } from '../../exchange';
import { session } from '../state/session.svelte';

const SWITCH_KEY = 'potluck.webrtc';

/** The connection outlives one title, so that the next begins at once. */
let shared: Exchange | null = null;

export function join(): Exchange {
  if (!shared) {
    shared = createExchange({ webrtc: localStorage.getItem(SWITCH_KEY) !== 'off' });
    session.onLeave(leave);
  }
  return shared;
}

function leave(): void {
  shared?.close();
  shared = null;
}

/** Opens the connections before anything is asked for, so that its first bytes need not wait for them. */
export function warm(item?: ItemDetail): void {
  const exchange = join();
  if (item) hold(exchange, item);
}

/** Tells whose nodes hold the same file: those that are there first, and of them the one that gives it. */
export function hold(exchange: Exchange, item: ItemDetail): void {
  const [itself] = item.sources;
  const cid = item.files[0]?.cid ?? item.cid;
  const same = item.sources.filter((source) => source.cid === cid && source.state === 'present');
  const rank = ({ id, online }: Holder) => (online ? 0 : 2) + (id === item.friend?.id ? 0 : 1);
  const held = same.flatMap(({ friend, item }) => (friend ? [{ friend, item }] : []));
  held.sort((a, b) => rank(a.friend) - rank(b.friend));
  const copies = held.map(({ friend, item }) => ({ friend: friend.id, item }));
  const own = itself !== undefined && !itself.friend && itself.state === 'present';
  exchange.setHolders(item.id, { copies, own, owner: own ? undefined : item.friend?.id });
}

/** What a person chose is kept. */
export function switchWebRtc(exchange: Exchange, on: boolean): void {
  localStorage.setItem(SWITCH_KEY, on ? 'on' : 'off');
  exchange.setWebRtcEnabled(on);
}

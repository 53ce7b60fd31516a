// Links nodes as people do, and waits for what they tell each other.
import { api, command } from './node.mjs';

/** `host` makes an invite, `guest` accepts it, and `host` shares its films; each calls the other by these names. */
export function befriend(host, hostName, guest, guestName) {
  const code = command(host, 'friend', 'invite', '--name', guestName).trim();
  command(guest, 'friend', 'accept', code, '--name', hostName);
  command(host, 'friend', 'share', guestName, 'Films');
}

/** What `look` finds with the API of a node, once it finds something: looked again whenever the node tells of a change. */
export async function until(node, look) {
  const get = await api(node);
  const events = await get('/events', { signal: AbortSignal.timeout(60_000) });
  const changes = events.body[Symbol.asyncIterator]();
  for (;;) {
    const found = await look(get);
    if (found) return found;
    if ((await changes.next()).done) throw new Error('the event stream ended');
  }
}

/** An item of a node, once it is as wanted. */
export const item = (node, id, wanted) =>
  until(node, async (get) => {
    const item = await (await get(`/items/${id}`)).json();
    return wanted(item) && item;
  });

/** Who holds an item, once `count` nodes that are there do, with the very same file. */
export async function held(node, id, count) {
  const there = ({ cid, sources }) =>
    sources.filter((source) => source.friend?.online !== false && source.cid === cid).length === count;
  return (await item(node, id, there)).sources;
}

/** Bytes that a node sent to other nodes and their browsers since it was started. */
export async function sent(node) {
  const { carriers } = await (await (await api(node))('/status')).json();
  const outside = carriers.filter(({ name }) => ['webrtc', 'iroh'].includes(name));
  if (outside.length !== 2) throw new Error(`no figures of both carriers: ${JSON.stringify(carriers)}`);
  return outside.reduce((sum, { bytes_sent }) => sum + bytes_sent, 0);
}

/**
 * The bytes of a track's file, in order, as they come: as verified blocks, from whoever holds them and over WebRTC where that works,
 * and by its address over HTTPS where its blocks cannot be had.
 */
import { address, api } from '../../api/client';
import type { ItemDetail } from '../../api/types';
import type { Content, Exchange } from '../../exchange';
import { contentOf, inOrder } from '../../exchange/files';

/** What a file was read as: its root and blocks, or null where it was not verified. */
export type Read = Pick<Content, 'cid' | 'blocks'> | null;

type Plainly = (item: string, signal: AbortSignal) => AsyncIterable<Uint8Array<ArrayBuffer>>;
type Way = Pick<Exchange, 'planner' | 'holderOf'>;

/** Hands over the file piece by piece; `anew` is called where what came so far is to be forgotten. */
export async function read(
  item: ItemDetail,
  exchange: Way,
  signal: AbortSignal,
  take: (piece: Uint8Array<ArrayBuffer>) => void,
  anew: () => void,
  plainly: Plainly = (track, signal) => api.pieces(address.file(track), signal),
): Promise<Read> {
  try {
    return await verified(item, exchange, signal, take);
  } catch {
    signal.throwIfAborted();
    anew();
    for await (const piece of plainly(item.id, signal)) take(piece);
    return null;
  }
}

async function verified(
  item: ItemDetail,
  { planner, holderOf }: Way,
  signal: AbortSignal,
  take: (piece: Uint8Array<ArrayBuffer>) => void,
): Promise<Read> {
  const cid = item.files[0]?.cid ?? item.cid;
  if (!cid) throw new Error('the file has no name yet');
  const holder = holderOf(item.id);
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const fetch = (block: { cid: string; size: number }) => planner.fetchBlock(block, both, undefined, holder);
  try {
    const content = await contentOf({ cid, size: item.files[0]?.size ?? item.size ?? 0 }, fetch);
    for await (const block of inOrder(content.blocks, fetch)) take(block);
    return content;
  } finally {
    // Blocks that were asked for ahead of one that cannot be had.
    stop.abort();
  }
}

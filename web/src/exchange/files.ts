/** Whole files by their root CID: which blocks they are made of, and those blocks one after the other. */
import { isLeaf, leavesOf } from '../content/dag.ts';
import type { BlockRef, Content } from './planner.ts';

/** A file that is read as a whole. */
export interface WholeFile {
  item: string;
  /** Root of its DAG. */
  cid: string;
  /** Bytes. */
  size: number;
}

/** Bytes of a node of a DAG at most. */
const NODE_MAX = 2 * 1024 * 1024;
/** Blocks asked for before the one that is waited for has come. */
const AHEAD = 4;

type Fetch = (block: BlockRef) => Promise<Uint8Array<ArrayBuffer>>;

/** The blocks of a file. Its root is fetched for that, where it is no block itself. */
export async function contentOf({ cid, size }: Pick<WholeFile, 'cid' | 'size'>, fetch: Fetch): Promise<Content> {
  if (isLeaf(cid)) return { cid, size, blocks: [{ cid, size }] };
  return { cid, size, blocks: leavesOf(cid, await fetch({ cid, size: NODE_MAX })) };
}

/** Blocks in their order, with some under way ahead. Whoever stops listening has to stop `fetch` by its signal. */
export async function* inOrder(blocks: readonly BlockRef[], fetch: Fetch): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const coming: Promise<Uint8Array<ArrayBuffer>>[] = [];
  for (let next = 0; next < blocks.length || coming.length > 0;) {
    while (coming.length < AHEAD && next < blocks.length) {
      const block = fetch(blocks[next++]!);
      // What fails is told when its turn comes.
      block.catch(() => {});
      coming.push(block);
    }
    yield await coming.shift()!;
  }
}

/**
 * The parts of a file, as the root of its DAG lists them (dag-pb with UnixFS; docs/formats.md, "CIDs and DAGs"). Nothing else of
 * a node is read: what a part is shows when its bytes hash to its name.
 */
import { CID } from 'multiformats/cid';

/** A leaf: raw bytes of the file. */
export interface Leaf {
  cid: string;
  /** Bytes. */
  size: number;
}

const DAG_PB = 0x70;
const RAW = 0x55;
/** Links of a node at most. */
const LINKS_MAX = 1024;
/** Numbers of the fields of a node and of a link. */
const LINKS = 2;
const [HASH, SIZE] = [1, 3];

/** Whether a CID names raw bytes, and no node. */
export function isLeaf(cid: string): boolean {
  return CID.parse(cid).code === RAW;
}

/** The leaves that a node lists, in order; throws where it is none, or lists further nodes. */
export function leavesOf(root: string, node: Uint8Array): Leaf[] {
  if (CID.parse(root).code !== DAG_PB) throw new Error(`${root} names no node`);
  const links = [...fieldsOf(node)].filter(({ number }) => number === LINKS);
  if (links.length > LINKS_MAX) throw new Error(`${root} has too many parts`);
  return links.map(({ bytes }) => leafOf(bytes));
}

function leafOf(link: Uint8Array | undefined): Leaf {
  if (!link) throw new Error('a link has no bytes');
  const fields = [...fieldsOf(link)];
  const hash = fields.find(({ number }) => number === HASH)?.bytes;
  const cid = CID.decode(hash ?? new Uint8Array());
  if (cid.version !== 1 || cid.code !== RAW) throw new Error(`${cid} is no leaf`);
  return { cid: cid.toString(), size: fields.find(({ number }) => number === SIZE)?.value ?? 0 };
}

interface Field {
  number: number;
  /** Of a number. */
  value?: number;
  /** Of anything else. */
  bytes?: Uint8Array;
}

/** The fields of a protobuf message that has only numbers and bytes. */
function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined) break;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new Error('a number in a node is cut off or too large');
  };
  while (at < message.length) {
    const tag = number();
    const field = Math.floor(tag / 8);
    if (tag % 8 === 0) yield { number: field, value: number() };
    else if (tag % 8 === 2) {
      const end = number() + at;
      if (end > message.length) throw new Error('a node is cut off');
      yield { number: field, bytes: message.subarray(at, end) };
      at = end;
    } else throw new Error('a node has a field of a kind that it must not have');
  }
}

/**
 * Does a block hash to its name? WebCrypto where the page is a secure context; on plain HTTP in a home network
 * browsers withhold it, and a JavaScript implementation (about 20 times slower) takes its place.
 */
import { digestOf } from './cid.ts';

type Hash = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

const native: Hash = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

const portable: Hash = async (bytes) => {
  const { sha256 } = await import('@noble/hashes/sha2.js');
  return sha256(bytes);
};

/** SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return typeof globalThis.crypto?.subtle === 'undefined' ? portable(bytes) : native(bytes);
}

/** Whether `bytes` is the block that `cid` names. Throws only if `cid` is not a CID that can be checked. */
export async function matches(cid: string, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const wanted = digestOf(cid);
  const found = await sha256(bytes);
  return wanted.every((byte, at) => byte === found[at]);
}

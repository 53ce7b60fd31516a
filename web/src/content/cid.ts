/** Names of content: what the page needs of CIDs, which is to read the SHA-256 digest out of one. */
import { CID } from 'multiformats/cid';

const SHA2_256 = 0x12;

/** The SHA-256 digest that `cid` (CIDv1, base32) demands of its block; throws if it is not such a CID. */
export function digestOf(cid: string): Uint8Array {
  const { version, multihash } = CID.parse(cid);
  if (version !== 1 || multihash.code !== SHA2_256 || multihash.digest.length !== 32) {
    throw new Error(`${cid} is not a version 1 CID with SHA-256`);
  }
  return multihash.digest;
}

/** The CIDv1 (base32) of a raw block with this SHA-256 digest. */
export function rawCid(digest: Uint8Array): string {
  const bytes = new Uint8Array(36);
  bytes.set([1, 0x55, SHA2_256, 32]);
  bytes.set(digest, 4);
  return CID.decode(bytes).toString();
}

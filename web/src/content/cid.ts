/** Names of content: what the page needs of CIDs, which is to know one and to read its SHA-256 digest. */
import { base16, base16upper } from 'multiformats/bases/base16';
import { base32upper } from 'multiformats/bases/base32';
import { base64, base64url } from 'multiformats/bases/base64';
import { CID } from 'multiformats/cid';

const SHA2_256 = 0x12;
/** Codecs, of the table of multiformats. */
const RAW = 0x55;
const LIBP2P_KEY = 0x72;
/** Besides the usual ones, which `CID.parse` knows. */
const OTHER_BASES = base16.decoder
  .or(base16upper.decoder)
  .or(base32upper.decoder)
  .or(base64.decoder)
  .or(base64url.decoder);

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
  bytes.set([1, RAW, SHA2_256, 32]);
  bytes.set(digest, 4);
  return CID.decode(bytes).toString();
}

/** What `text` names, where it is a CID of either version in one of its bases: content, or a key of IPNS. */
export function cidKind(text: string): 'content' | 'key' | null {
  try {
    const { code } = CID.parse(text, /^[Qzbk]/.test(text) ? undefined : OTHER_BASES);
    return code === LIBP2P_KEY ? 'key' : 'content';
  } catch {
    return null;
  }
}

/** Whether a CID is of a block of plain bytes, which is a small file and never a folder. */
export function isRaw(cid: string): boolean {
  try {
    return CID.parse(cid).code === RAW;
  } catch {
    return false;
  }
}

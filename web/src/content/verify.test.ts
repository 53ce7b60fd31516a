import { afterEach, describe, expect, it, vi } from 'vitest';
import { digestOf, rawCid } from './cid.ts';
import { matches, sha256 } from './verify.ts';

// CID of the empty raw block, as every IPFS implementation gives it.
const EMPTY = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';

afterEach(() => vi.unstubAllGlobals());

describe('verify', () => {
  it('accepts the bytes that a CID names and no others', async () => {
    expect(await matches(EMPTY, new Uint8Array())).toBe(true);
    expect(await matches(EMPTY, new Uint8Array([0]))).toBe(false);
  });

  it('names a block as others do', async () => {
    expect(rawCid(await sha256(new Uint8Array()))).toBe(EMPTY);
    expect(digestOf(EMPTY)).toEqual(await sha256(new Uint8Array()));
  });

  it('gives the same answer where the page is not a secure context', async () => {
    const bytes = new Uint8Array(100_000).map((_, at) => at % 251);
    const cid = rawCid(await sha256(bytes));
    vi.stubGlobal('crypto', {});
    expect(await matches(cid, bytes)).toBe(true);
    bytes[5] = 0xff;
    expect(await matches(cid, bytes)).toBe(false);
  });

  it('refuses names that cannot be checked', async () => {
    for (const name of ['', 'x', 'QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n', 'bafkqaaa']) {
      await expect(matches(name, new Uint8Array())).rejects.toThrow();
    }
  });
});

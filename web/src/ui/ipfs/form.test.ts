import { describe, expect, it } from 'vitest';
import type { IpfsContent } from '../../api/types';
import { downloadOf, formOf, formOfName, sniff, sourceOf } from './form';

const CID = 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';

function content(more: Partial<IpfsContent>): IpfsContent {
  return {
    ...{ path: `/ipfs/${CID}`, cid: CID, kind: 'file', name: null, size: 1, media_type: null },
    ...{ url: `/ipfs/${CID}`, entries: [], truncated: false },
    ...more,
  };
}

it.each([
  ['video/x-matroska', 'video'],
  ['audio/flac', 'audio'],
  ['image/svg+xml', 'picture'],
  ['text/html; charset=utf-8', 'text'],
  ['application/ld+json', 'text'],
  ['application/json', 'text'],
  ['application/octet-stream', 'other'],
  [null, 'other'],
] as const)('%s is shown as %s', (type, form) => expect(formOf(type)).toBe(form));

it('a list tells forms by the ends of names', () =>
  expect(['a.MKV', 'b.tar.gz', 'Dr. Who', 'c.jpeg', ''].map(formOfName)).toEqual([
    'video',
    null,
    null,
    'picture',
    null,
  ]));

describe('first bytes tell a type', () => {
  const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  it.each([
    ['\0\0\0\x20ftypisom\0\0\x02\0', 'video/mp4'],
    ['\0\0\0\x20ftypM4A \0\0\x02\0', 'audio/mp4'],
    ['\x1aEß£\x01\0\0\0\0\0\0\x23B\x82\x88matroska', 'video/x-matroska'],
    ['\x1aEß£\x9fB\x82\x84webm', 'video/webm'],
    ['RIFF\0\0\0\0WAVEfmt ', 'audio/wav'],
    ['RIFF\0\0\0\0AVI LIST', null],
    ['\x89PNG\r\n\x1a\n', 'image/png'],
    ['ID3\x04', 'audio/mpeg'],
    ['%PDF-1.7', 'application/pdf'],
    ['plain words,\nand more', 'text/plain'],
    ['', 'text/plain'],
    ['\0\x01\x02', null],
    ['\xff\xfe\x41', null],
  ])('%j', (text, type) => expect(sniff(bytes(text))).toBe(type));

  it('a letter that is cut off is still text', () =>
    expect(sniff(new TextEncoder().encode('Crème brûlée 🍲').slice(0, -2))).toBe('text/plain'));
});

it('a file without a name gets one by its type, so that the gateway tells the type', () => {
  expect(sourceOf(content({}), 'video/mp4')).toBe(`/ipfs/${CID}?filename=${CID}.mp4`);
  expect(sourceOf(content({ name: 'a.mp4', url: `/ipfs/${CID}/a.mp4` }), 'video/mp4')).toBe(`/ipfs/${CID}/a.mp4`);
  expect(sourceOf(content({}), null)).toBe(`/ipfs/${CID}`);
});

it('files are saved as they are, folders as a CAR, blocks raw', () => {
  const named = content({ name: 'a b.mkv', url: `/ipfs/${CID}/a%20b.mkv` });
  expect(downloadOf(named, 'video/x-matroska')).toEqual({
    url: `/ipfs/${CID}/a%20b.mkv?download=true&filename=a%20b.mkv`,
    name: 'a b.mkv',
  });
  expect(downloadOf(content({ kind: 'folder' }), null)).toEqual({ url: `/ipfs/${CID}?format=car`, name: `${CID}.car` });
  expect(downloadOf(content({ kind: 'block' }), null)).toEqual({ url: `/ipfs/${CID}?format=raw`, name: `${CID}.bin` });
});

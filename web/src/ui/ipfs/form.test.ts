import { expect, it } from 'vitest';
import type { IpfsContent } from '../../api/types';
import { downloadOf, formOf, formOfName } from './form';

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
  ['application/ogg', 'audio'],
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

it('a file without a name is saved with the end of its type', () => {
  const name = (media_type: string) => downloadOf(content({ media_type })).name;
  expect(['video/mp4', 'text/plain; charset=utf-8', 'application/octet-stream'].map(name)).toEqual([
    `${CID}.mp4`,
    `${CID}.txt`,
    CID,
  ]);
});

it('files are saved as they are, folders as a CAR, blocks raw', () => {
  const named = content({ name: 'a b.mkv', url: `/ipfs/${CID}/a%20b.mkv` });
  expect(downloadOf(named)).toEqual({
    url: `/ipfs/${CID}/a%20b.mkv?download=true&filename=a%20b.mkv`,
    name: 'a b.mkv',
  });
  expect(downloadOf(content({ kind: 'folder' }))).toEqual({ url: `/ipfs/${CID}?format=car`, name: `${CID}.car` });
  expect(downloadOf(content({ kind: 'block' }))).toEqual({ url: `/ipfs/${CID}?format=raw`, name: `${CID}.bin` });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { above, below, readAddress, readPath, steps } from './address';

const CID = 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';
const OLD = 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG';
const KEY = 'k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8';
const PEER = '12D3KooWRYAJw7dHKcUXSUfWRcX4FoSmmRqqfFfqMhjGmMXsJp2Z';

describe('what names content', () => {
  it.each([
    [CID, `/ipfs/${CID}`],
    [`  ${OLD}\n`, `/ipfs/${OLD}`],
    [`${CID}/Season 1/a.mkv`, `/ipfs/${CID}/Season 1/a.mkv`],
    [`/ipfs/${CID}/a%20b/`, `/ipfs/${CID}/a b`],
    [`/ipfs/${CID}?filename=a.mp4`, `/ipfs/${CID}`],
    [`ipfs/${CID}`, `/ipfs/${CID}`],
    [`/ipfs/${CID}/What now?.mkv`, `/ipfs/${CID}/What now?.mkv`],
    [`/ipfs/${CID}/100% Wolf.mkv`, `/ipfs/${CID}/100% Wolf.mkv`],
    [`ipfs://${CID}/a%3Fb?x=1#t=2`, `/ipfs/${CID}/a?b`],
    [`IPFS://${OLD}`, `/ipfs/${OLD}`],
    [`ipns://${KEY}/Films`, `/ipns/${KEY}/Films`],
    [KEY, `/ipns/${KEY}`],
    [PEER, `/ipns/${PEER}`],
    [`/ipns/${PEER}/a`, `/ipns/${PEER}/a`],
    [`https://ipfs.io/ipfs/${CID}/a%20b.mp4?download=true`, `/ipfs/${CID}/a b.mp4`],
    [`ipfs.io/ipfs/${CID}`, `/ipfs/${CID}`],
    [`http://127.0.0.1:8080/ipns/${KEY}/`, `/ipns/${KEY}`],
    [`https://${CID}.ipfs.dweb.link/a/b`, `/ipfs/${CID}/a/b`],
    [`https://${KEY}.ipns.dweb.link`, `/ipns/${KEY}`],
    [`https://node.example.org/open/ipfs/${CID}/a`, `/ipfs/${CID}/a`],
    ['mAVUSILp4FrcpOq7VFKRvBNvmcF+4dkkhkX4AADVQ1H4R4FKJ', null],
    ['f01551220ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', null],
  ])('%s', (text, path) => expect(readAddress(text)).toEqual({ path: path ?? `/ipfs/${text}` }));
});

describe('what names none says which part is wrong', () => {
  it.each([
    ['', 'nothing', ''],
    ['blade runner', 'nothing', 'blade runner'],
    ['Quiet Harbour', 'nothing', 'Quiet Harbour'],
    ['/srv/media', 'nothing', '/srv/media'],
    [CID.slice(0, -4), 'cid', CID.slice(0, -4)],
    [`ipfs://${CID.slice(4)}`, 'cid', CID.slice(4)],
    ['/ipfs', 'cid', ''],
    ['ipns://nothing', 'name', 'nothing'],
    ['ipns://films.example.org', 'domain', 'films.example.org'],
    ['https://example.org/films', 'web', 'https://example.org/films'],
    ['https://', 'web', 'https://'],
    [`ipfs://${CID}/../x`, 'path', '..'],
    [`ipfs://${CID}/a%2Fb`, 'path', 'a/b'],
  ])('%s', (text, wrong, part) => expect(readAddress(text)).toEqual({ wrong, part }));
});

it('a path of this page is taken as it is written', () => {
  expect(readPath(`/ipfs/${CID}/100%25`)).toEqual({ path: `/ipfs/${CID}/100%25` });
  expect(readPath('/films')).toEqual({ wrong: 'nothing', part: '/films' });
});

it('what was read is read the same again, whatever the names are', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((text) => /^[^/]+$/.test(text) && !/^\.\.?$/.test(text));
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const path = ['', 'ipfs', CID, ...names].join('/');
      const link = `ipfs://${[CID, ...names].map(encodeURIComponent).join('/')}`;
      expect(readAddress(link)).toEqual({ path });
      expect(readPath(path)).toEqual({ path });
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void readAddress(text)));
});

it('one finds the way up and down', () => {
  const path = `/ipfs/${CID}/a/b`;
  expect([above(path), above(`/ipfs/${CID}/a`), above(`/ipfs/${CID}`)]).toEqual([
    `/ipfs/${CID}/a`,
    `/ipfs/${CID}`,
    null,
  ]);
  expect(steps(path).map((step) => [step.name, step.path])).toEqual([
    [CID, `/ipfs/${CID}`],
    ['a', `/ipfs/${CID}/a`],
    ['b', path],
  ]);
  expect(below(path, { name: 'c d', cid: OLD })).toBe(`${path}/c d`);
  expect(below(path, { name: '..', cid: OLD })).toBe(`/ipfs/${OLD}`);
});

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { FATES, IPNS_NAME, ROOT_CID, waits } from '../../../mock/ipfs';
import { MockNode } from '../../../mock/node';
import { api, ApiError } from '../../api/client';
import { below } from './address';
import { Opening } from './opening.svelte';

let server: Server;
const asked: string[] = [];

beforeAll(async () => {
  waits.found = 0;
  const mock = new MockNode('household');
  server = createServer((request, response) => void mock.answer(request, response));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { fetch } = globalThis;
  vi.stubGlobal('fetch', (path: string, init?: RequestInit) => {
    asked.push(path);
    return fetch(origin + path, init);
  });
});
afterAll(() => void server.close());
beforeEach(async () => {
  await api.login('ada', 'x');
  asked.length = 0;
});

async function opened(path: string): Promise<Opening> {
  const opening = new Opening();
  await opening.open(path);
  return opening;
}

it('a name of IPNS leads to a folder, and that to a file', async () => {
  const shots = await opened(`/ipns/${IPNS_NAME}/Shots`);
  expect([shots.phase, shots.content?.kind, shots.content?.truncated]).toEqual(['found', 'folder', false]);
  const [first] = shots.content!.entries;
  const shot = await opened(below(`/ipns/${IPNS_NAME}/Shots`, first!));
  expect([shot.content?.name, shot.content?.cid, shot.content?.media_type]).toEqual([
    'shot 11.svg',
    first!.cid,
    'image/svg+xml',
  ]);
});

it('names that a URL would cut are found', async () => {
  const { content } = await opened(`/ipfs/${ROOT_CID}/Read me first?.txt`);
  expect(content?.name).toBe('Read me first?.txt');
  expect(await api.text(content!.url)).toMatch(/^Everything in here/);
});

it('a CID alone has no name', async () => {
  const { content } = await opened(`/ipfs/${ROOT_CID}/Read me first?.txt`);
  const alone = await opened(`/ipfs/${content!.cid}`);
  expect([alone.content?.cid, alone.content?.name, alone.content?.kind]).toEqual([content?.cid, null, 'file']);
});

it('a large folder tells that it has more', async () => {
  const { content } = await opened(`/ipfs/${ROOT_CID}/Ten thousand and one notes`);
  expect([content?.entries.length, content?.truncated]).toEqual([10_000, true]);
});

it('what the node refuses keeps its word and its sentence', async () => {
  const { phase, error } = await opened(`/ipfs/${FATES.off}`);
  expect([phase, (error as ApiError).status, (error as ApiError).word]).toEqual(['failed', 503, 'unavailable']);
  expect((error as ApiError).message).toMatch(/switched off/);
});

it('somebody who may not fetch from elsewhere is told so', async () => {
  await api.login('grandma', 'x');
  const { phase, error } = await opened(`/ipfs/${ROOT_CID}`);
  expect([phase, (error as ApiError).word]).toEqual(['failed', 'forbidden']);
});

it('a wait that is called off ends at once, and can be taken up again', async () => {
  const opening = new Opening();
  const waiting = opening.open(`/ipfs/${FATES.nobody}`);
  expect(opening.phase).toBe('looking');
  opening.cancel();
  await waiting;
  expect([opening.phase, opening.error]).toEqual(['stopped', null]);
  const anew = opening.again();
  expect(opening.phase).toBe('looking');
  opening.leave();
  await anew;
});

it('the last one asked for wins', async () => {
  const opening = new Opening();
  const slow = opening.open(`/ipfs/${FATES.nobody}`);
  await Promise.all([slow, opening.open(`/ipfs/${ROOT_CID}/Shots`)]);
  expect([opening.phase, opening.content?.name, opening.foundAt]).toEqual([
    'found',
    'Shots',
    `/ipfs/${ROOT_CID}/Shots`,
  ]);
  await opening.open('');
  expect(opening.phase).toBe('idle');
});

it('nobody but this node is asked', async () => {
  await opened(`/ipns/${IPNS_NAME}/Shots`);
  await opened(`/ipfs/${ROOT_CID}/Read me first?.txt`);
  expect(asked.filter((url) => !/^\/(api|ipfs)\//.test(url))).toEqual([]);
});

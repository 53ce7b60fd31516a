import { strToU8, zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { Archive } from './archive';

const open = (files: Record<string, Uint8Array>) => Archive.open(new Blob([zipSync(files) as Uint8Array<ArrayBuffer>]));

it('a file is read by its path', async () => {
  const archive = await open({ 'a/b.txt': strToU8('grüß'), c: new Uint8Array(3) });
  expect(await archive.text('a/b.txt')).toBe('grüß');
  expect(archive.size('c')).toBe(3);
});

it('a file that is not there is nothing', async () => {
  const archive = await open({ a: new Uint8Array(1) });
  expect(await archive.text('../a')).toBe(null);
  expect(archive.size('b')).toBe(0);
});

it('a file that unpacks beyond all measure is left alone', async () => {
  const archive = await open({ bomb: new Uint8Array(65 * 1024 * 1024) });
  expect(await archive.read('bomb')).toBe(null);
});

it('what is no archive is refused', async () =>
  expect(Archive.open(new Blob(['nothing of the sort']))).rejects.toThrow());

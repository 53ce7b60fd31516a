import { beforeEach, expect, it, vi } from 'vitest';
import type { BookPage } from '../../api/types';
import { Shelf } from './shelf.svelte';

const urls = new Set<string>();
let made = 0;
beforeEach(() => {
  urls.clear();
  vi.stubGlobal('URL', {
    createObjectURL: () => {
      const url = `blob:${(made += 1)}`;
      urls.add(url);
      return url;
    },
    revokeObjectURL: (url: string) => urls.delete(url),
  });
});

const page = (number: number, type = 'image/jpeg'): BookPage => ({
  number,
  name: '',
  type,
  width: null,
  height: null,
  size: 1,
});

/** A shelf of a long book, and what it asks for. */
function shelf(pages = Array.from({ length: 1000 }, (_, i) => page(i + 1)), broken: number[] = []) {
  const asked: string[] = [];
  const load = vi.fn(async (one: BookPage, converted: boolean) => {
    asked.push(`${one.number}${converted ? ' converted' : ''}`);
    await Promise.resolve();
    if (broken.includes(one.number)) throw new Error('cut off');
    return new Blob();
  });
  return { asked, load, shelf: new Shelf(pages, load) };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

it('asks for the most urgent first, three at once', async () => {
  const { shelf: one, asked } = shelf();
  one.want([10, 11, 12, 13, 9]);
  expect(asked).toEqual(['10', '11', '12']);
  await settled();
  expect(asked).toEqual(['10', '11', '12', '13', '9']);
  expect(one.get(10).is).toBe('there');
});

it('a book of a thousand pages never has more than a few in memory', async () => {
  const { shelf: one } = shelf();
  for (let at = 1; at <= 1000; at += 1) {
    one.want([at, at + 1, at + 2]);
    await settled();
  }
  expect(urls.size).toBeLessThanOrEqual(3 + 8);
  one.close();
  expect(urls.size).toBe(0);
});

it('a page that one turns back to is still there', async () => {
  const { shelf: one, asked } = shelf();
  for (const at of [1, 2, 3, 2, 1]) {
    one.want([at]);
    await settled();
  }
  expect(asked).toEqual(['1', '2', '3']);
});

it('a page on its way that is not wanted any more is given up', () => {
  const { shelf: one, load } = shelf();
  one.want([1]);
  const signal = load.mock.calls[0]!.at(2) as unknown as AbortSignal;
  one.want([500]);
  expect(signal.aborted).toBe(true);
  expect(one.get(1).is).toBe('waiting');
});

it('a failed page says so and is asked for again only on demand', async () => {
  const { shelf: one, asked } = shelf(undefined, [2]);
  one.want([1, 2]);
  await settled();
  expect(one.get(2)).toMatchObject({ is: 'failed' });
  one.want([2, 1]);
  expect(asked).toEqual(['1', '2']);
  one.retry(2);
  expect(asked).toEqual(['1', '2', '2']);
});

it('a type that no browser shows comes converted', async () => {
  const { shelf: one, asked } = shelf([page(1, 'image/jxl')]);
  one.want([1]);
  await settled();
  expect(asked).toEqual(['1 converted']);
});

it('what the browser cannot show after all is converted once, then failed', async () => {
  const { shelf: one, asked } = shelf();
  one.want([1]);
  await settled();
  one.unreadable(1);
  await settled();
  expect(asked).toEqual(['1', '1 converted']);
  one.unreadable(1);
  expect(one.get(1).is).toBe('failed');
  expect(urls.size).toBe(0);
});

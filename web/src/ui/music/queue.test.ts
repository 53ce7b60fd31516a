import { describe, expect, it } from 'vitest';
import {
  append,
  current,
  EMPTY,
  filled,
  following,
  insertNext,
  jumped,
  preceding,
  QUEUE_MAX,
  shuffle,
  skipped,
  unshuffle,
  without,
  type Queue,
  type Track,
} from './queue';

const tracks = (...names: string[]): Track[] => names.map((id) => ({ id, title: id.toUpperCase() }));
const ids = (queue: Queue) => queue.entries.map(({ track }) => track.id).join('');
const heard = (queue: Queue) => current(queue)?.track.id;
const letters = 'abcdefgh'.split('');
const of = (first: number, shuffled = false) => filled(EMPTY, tracks(...letters), first, shuffled, () => 0);

describe('queue', () => {
  it('an album is played from the track that was chosen', () => {
    expect(ids(of(2))).toBe('abcdefgh');
    expect(heard(of(2))).toBe('c');
  });

  it('shuffled, the chosen track is first and every other is there once', () => {
    const queue = of(2, true);
    expect(heard(queue)).toBe('c');
    expect(queue.at).toBe(0);
    expect([...ids(queue)].sort().join('')).toBe('abcdefgh');
    expect(ids(queue)).not.toBe('cabdefgh');
  });

  it('shuffling taken back restores the order and goes on with the same track', () => {
    const mixed = { ...of(2, true), at: 3 };
    const plain = unshuffle(mixed);
    expect(ids(plain)).toBe('abcdefgh');
    expect(heard(plain)).toBe(heard(mixed));
  });

  it('what plays next stands behind what is heard, also after shuffling is taken back', () => {
    const queue = insertNext(of(2), tracks('x', 'y'));
    expect(ids(queue)).toBe('abcxydefgh');
    expect(ids(unshuffle(shuffle(queue, () => 0)))).toBe('abcxydefgh');
    expect(ids(insertNext(queue, tracks('z')))).toBe('abczxydefgh');
  });

  it('into an empty queue, what plays next or is added is all there is', () => {
    expect(heard(insertNext(EMPTY, tracks('x', 'y')))).toBe('x');
    expect(heard(append(EMPTY, tracks('x')))).toBe('x');
  });

  it('the same track may stand in it twice, each with its own key', () => {
    const queue = append(of(0), tracks('a'));
    expect(new Set(queue.entries.map(({ key }) => key)).size).toBe(9);
    expect(ids(without(queue, queue.entries[8]!.key))).toBe('abcdefgh');
  });

  it('removing what came before keeps what is heard', () => {
    const queue = of(2);
    expect(heard(without(queue, queue.entries[0]!.key))).toBe('c');
    expect(heard(without(queue, queue.entries[5]!.key))).toBe('c');
  });

  it('removing what is heard leads to the next, at the end to the one before', () => {
    const [middle, end] = [of(2), of(7)];
    expect(heard(without(middle, current(middle)!.key))).toBe('d');
    expect(heard(without(end, current(end)!.key))).toBe('g');
  });

  it('the music ends with the last track, unless it repeats', () => {
    expect(following(of(7))).toBeNull();
    expect(following({ ...of(7), repeat: 'all' })).toBe(0);
    expect(following({ ...of(3), repeat: 'one' })).toBe(3);
    expect(following(EMPTY)).toBeNull();
  });

  it('who asks for the next track gets another one though this one repeats', () => {
    expect(skipped({ ...of(3), repeat: 'one' })).toBe(4);
    expect(skipped(of(7))).toBeNull();
  });

  it('before the first is the first, or the last where the queue repeats', () => {
    expect(preceding(of(3))).toBe(2);
    expect(preceding(of(0))).toBe(0);
    expect(preceding({ ...of(0), repeat: 'all' })).toBe(7);
  });

  it('a jump to what is not there leads nowhere', () => {
    expect(heard(jumped(of(2), 5))).toBe('f');
    expect(jumped(of(2), 99)).toEqual(of(2));
  });

  it('a library of songs is cut to what a browser keeps, with the chosen one in it', () => {
    const many = Array.from({ length: QUEUE_MAX + 500 }, (_, i) => ({ id: `t${i}`, title: '' }));
    const queue = filled(EMPTY, many, QUEUE_MAX + 400, false, Math.random);
    expect(queue.entries.length).toBeLessThanOrEqual(QUEUE_MAX);
    expect(heard(queue)).toBe(`t${QUEUE_MAX + 400}`);
    expect(append(filled(EMPTY, many, 0, false, Math.random), tracks('x')).entries).toHaveLength(QUEUE_MAX);
  });
});

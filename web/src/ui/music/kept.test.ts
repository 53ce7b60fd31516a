import { describe, expect, it } from 'vitest';
import { keep, kept, keptVolume } from './kept';
import { EMPTY, filled, type Track } from './queue';

const tracks: Track[] = ['a', 'b', 'c'].map((id) => ({ id, title: id, poster: `/api/v1/items/${id}/poster` }));

function storage() {
  const map = new Map<string, string>();
  return {
    map,
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  };
}

describe('kept queue', () => {
  it('comes back as it was, with where one stopped, for its account alone', () => {
    const store = storage();
    const queue = { ...filled(EMPTY, tracks, 1, false, Math.random), repeat: 'all' as const };
    keep('ada', { queue, position: 12.34 }, store);
    const back = kept('ada', store);
    expect(back.position).toBe(12.3);
    expect(back.queue.at).toBe(1);
    expect(back.queue.repeat).toBe('all');
    expect(back.queue.entries.map(({ track }) => track.id)).toEqual(['a', 'b', 'c']);
    expect(kept('bob', store).queue).toEqual(EMPTY);
  });

  it('an emptied queue leaves nothing behind', () => {
    const store = storage();
    keep('ada', { queue: filled(EMPTY, tracks, 0, false, Math.random), position: 0 }, store);
    keep('ada', { queue: EMPTY, position: 0 }, store);
    expect(store.map.size).toBe(0);
  });

  it.each([
    '',
    'nonsense',
    '[]',
    '{"queue":{"entries":"x"}}',
    '{"queue":{"entries":[{"key":1}]}}',
    '{"queue":{"entries":[{"key":1,"place":0,"track":{"id":"a","title":"a"}},{"key":1,"place":1,"track":{"id":"b","title":"b"}}]}}',
  ])('%s is no queue', (text) => {
    const store = storage();
    store.setItem('potluck.music.ada', text);
    expect(kept('ada', store).queue).toEqual(EMPTY);
  });

  it('a place behind the end and a picture elsewhere are not believed', () => {
    const store = storage();
    const track = { id: 'a', title: 'a', poster: 'https://elsewhere.example/x' };
    const queue = { entries: [{ key: 0, place: 0, track }], at: 7, repeat: 'twice' };
    store.setItem('potluck.music.ada', JSON.stringify({ queue, position: -3 }));
    const back = kept('ada', store);
    expect([back.queue.at, back.queue.repeat, back.position]).toEqual([0, 'off', 0]);
    expect(back.queue.entries[0]!.track.poster).toBeNull();
  });

  it('a storage that is forbidden forgets quietly', () => {
    const no = () => {
      throw new Error('forbidden');
    };
    const store = { getItem: no, setItem: no, removeItem: no };
    keep('ada', { queue: EMPTY, position: 0 }, store);
    expect(kept('ada', store).queue).toEqual(EMPTY);
    expect(keptVolume(store)).toBe(1);
  });
});

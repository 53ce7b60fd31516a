import { describe, expect, it } from 'vitest';
import { FakeCarrier, FakeClock, settled } from './fakes.ts';
import { Holders } from './holders.ts';
import type { Content } from './planner.ts';

const clock = new FakeClock();
const below = 'renditions/v0/segments?from=4&count=2';
const live = () => new AbortController().signal;
const list = (...cids: string[]) =>
  new TextEncoder().encode(JSON.stringify(cids.map((cid, n) => ({ n, cid, size: 9, blocks: [{ cid, size: 9 }] }))));

function two() {
  const nodes = new Map(['bob', 'carol'].map((id) => [id, new FakeCarrier('friend', clock)] as const));
  const holders = new Holders((friend) => nodes.get(friend)!);
  const copies = [
    { friend: 'bob', item: 'ours' },
    { friend: 'carol', item: 'carols' },
  ];
  return { holders, copies, bob: nodes.get('bob')!, carol: nodes.get('carol')! };
}

describe('holders', () => {
  it('are asked for the same window, each under the id that the film has there', async () => {
    const { holders, copies, bob, carol } = two();
    holders.set('ours', { copies, own: false, owner: 'bob' });
    const told = holders.window<Content[]>('ours', below, live());
    expect([bob, carol].map(({ asked }) => asked[0]!.request.target)).toEqual([
      `/api/v1/items/ours/${below}`,
      `/api/v1/items/carols/${below}`,
    ]);
    carol.reply(list('a', 'b'));
    expect((await told)!.map(({ cid }) => cid)).toEqual(['a', 'b']);
    expect(holders.of('ours')!.owner).toBe(bob);
  });

  it('have what they named, and nothing else', async () => {
    const { holders, copies, bob, carol } = two();
    holders.set('ours', { copies, own: false });
    void holders.window<Content[]>('ours', below, live());
    carol.reply(list('a', 'b'));
    bob.reply(list(), 404);
    await settled();
    const { has } = holders.of('ours')!;
    expect([has(carol, 'a'), has(carol, 'c'), has(bob, 'a')]).toEqual([true, false, false]);
  });

  it('are not asked where there is only one of them', () => {
    const { holders, copies, bob } = two();
    holders.set('ours', { copies: copies.slice(0, 1), own: false });
    expect(holders.window<Content[]>('ours', below, live())).toBeNull();
    holders.set('ours', { copies: copies.slice(0, 1), own: true });
    expect(holders.window<Content[]>('ours', below, live())).not.toBeNull();
    expect(bob.asked).toHaveLength(1);
    holders.set('ours', { copies: [], own: true });
    expect(holders.of('ours')).toBeUndefined();
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { FakeCarrier, FakeClock } from './fakes.ts';
import { PLENTY, Spread } from './spread.ts';

const BLOCK = 1024 * 1024;
let clock: FakeClock;
let spread: Spread;
let bob: FakeCarrier;
let carol: FakeCarrier;

beforeEach(() => {
  clock = new FakeClock();
  spread = new Spread(clock);
  [bob, carol] = [new FakeCarrier('friend', clock), new FakeCarrier('friend', clock)];
});

/** One block by whoever's turn it is; at so many bytes a millisecond. */
async function serve(rates: Map<FakeCarrier, number>, owner?: FakeCarrier): Promise<FakeCarrier> {
  const picked = spread.pick([bob, carol], BLOCK, owner) as FakeCarrier;
  spread.began(picked);
  await clock.pass(BLOCK / rates.get(picked)!);
  spread.ended(picked, BLOCK);
  return picked;
}

async function shareOf(who: FakeCarrier, rates: [number, number], owner?: FakeCarrier): Promise<number> {
  const by = new Map([bob, carol].map((one, at) => [one, rates[at]!]));
  let count = 0;
  for (let n = 0; n < 200; n++) if ((await serve(by, owner)) === who) count++;
  return count / 200;
}

describe('spreading', () => {
  it('gives each as much as it is quick', async () => {
    expect(await shareOf(bob, [1000, 3000])).toBeCloseTo(0.25, 1);
  });

  it('gives no more to one that is quicker than any film needs', async () => {
    expect(await shareOf(bob, [PLENTY, 100 * PLENTY])).toBeCloseTo(0.5, 1);
  });

  it("asks the owner's node for a seventh where a copy is as quick, and for more where it is not", async () => {
    expect(await shareOf(bob, [PLENTY, PLENTY], bob)).toBeCloseTo(1 / 7, 2);
    expect(await shareOf(bob, [PLENTY, PLENTY / 10], bob)).toBeGreaterThan(0.5);
  });

  it('tries one that was never asked with one block at a time', () => {
    spread.began(carol);
    clock.pass(100);
    spread.ended(carol, BLOCK);
    const picked = Array.from({ length: 6 }, () => {
      const one = spread.pick([bob, carol], BLOCK, undefined)!;
      spread.began(one);
      return one;
    });
    expect(picked.filter((one) => one === bob)).toHaveLength(1);
  });

  it('makes up for no time that one was away', async () => {
    await shareOf(carol, [PLENTY, PLENTY]);
    for (let n = 0; n < 100; n++) spread.pick([bob], BLOCK, undefined);
    const picked = Array.from({ length: 10 }, () => spread.pick([bob, carol], BLOCK, undefined));
    expect(picked.filter((one) => one === carol).length).toBeLessThanOrEqual(6);
  });
});

// Ann keeps a copy of Bob's film: a button brings it to her disk, slowly enough to be seen, and it plays when his node is off.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { befriend, until } from './friends.mjs';
import { command, films, imported, results, signedIn, startBrowser, startNode } from './node.mjs';
import { numbers, play, reach } from './watch.mjs';

let ann, bob, browser;

before(async () => {
  [ann, bob] = await Promise.all([startNode(), startNode({ library: films(120, 'drift') })]);
  await imported(bob, 1);
  befriend(bob, 'Bob', ann, 'Ann');
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  for (const node of [ann, bob]) await node?.stop();
});

test("a friend's film is copied here at the press of a button, and plays from here when the friend is off", async (t) => {
  const limit = (kilobits) => command(bob, 'friend', 'limit', 'Ann', String(kilobits));
  limit(40_000);
  const [theirs] = await imported(ann, 1);
  assert.equal(theirs.friend.name, 'Bob');
  const page = await signedIn(browser, ann);
  t.after(() => page.context().close());
  await page.goto(`${ann.url}/item/${theirs.id}`);
  await page.getByTestId('keep').focus();
  await page.keyboard.press('Enter');
  await page.getByText('is being copied here').waitFor();

  await page.goto(`${ann.url}/friends`);
  const rule = (state) => page.locator(`[data-testid=replica][data-state=${state}]`);
  const share = () => rule('fetching').locator('progress').evaluate((bar) => bar.value / bar.max);
  await page.waitForFunction(() => {
    const bar = document.querySelector('[data-testid=replica][data-state=fetching] progress');
    return bar && bar.value > 0 && bar.value < bar.max;
  });
  t.diagnostic(`${((await share()) * 100).toFixed(0)} % were here when the bar was looked at`);
  await page.screenshot({ path: join(results(), 'replica-fetching.png'), fullPage: true });
  await page.getByTestId('pause-replica').focus();
  await page.keyboard.press('Enter');
  await rule('paused').waitFor();
  await page.keyboard.press('Enter');
  await rule('fetching').waitFor();
  limit(0);
  await rule('done').waitFor({ timeout: 60_000 });
  await page.screenshot({ path: join(results(), 'replica-done.png'), fullPage: true });
  await page.setViewportSize({ width: 390, height: 844 });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wider <= 0, `the page of friends is ${wider} px wider than a phone`);
  await page.screenshot({ path: join(results(), 'replica-done-phone.png'), fullPage: true });
  assert.deepEqual(page.faults, []);

  await bob.kill();
  const { items, total } = await until(ann, async (get) => {
    const page = await (await get('/items')).json();
    return page.items.some(({ friend }) => !friend) && page;
  });
  assert.equal(total, 1, 'the film is shown once');
  const [ours] = items;
  const player = await play(browser, ann, ours.id);
  t.after(() => player.context().close());
  await reach(player, 8);
  const { watch, stats } = await numbers(player);
  assert.deepEqual(watch.stalls, [], 'no wait for a frame was longer than half a second');
  assert.deepEqual([stats.bytes.friend ?? 0, stats.blocks_failed], [0, 0]);
  assert.deepEqual([...player.faults, ...player.elsewhere], []);
});

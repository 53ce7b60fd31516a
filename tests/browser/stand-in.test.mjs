// Ann's node dies while she watches. She signs in at Bob's, which knows her, goes on there, and her node has it when it is back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { befriend, item, until } from './friends.mjs';
import { command, films, imported, results, sign_in, startBrowser, startNode } from './node.mjs';
import { play, reach, seek } from './watch.mjs';

let ann, bob, browser;

before(async () => {
  [ann, bob] = await Promise.all([startNode(), startNode({ library: films(120, 'drift') })]);
  await imported(bob, 1);
  befriend(bob, 'Bob', ann, 'Ann');
  command(ann, 'friend', 'stand-in', 'Bob');
  command(bob, 'friend', 'host', 'Ann');
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  for (const node of [ann, bob]) await node?.stop();
});

/** Waits until Bob's node was told all that Ann's knows. */
const told = () =>
  until(ann, async (get) => {
    const [{ stand_in }] = await (await get('/friends')).json();
    return stand_in?.synced_at && !stand_in.problem;
  });

async function signInAs(name, at) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error)));
  await page.goto(at.url);
  await page.locator('input[name=username]').fill(name);
  await page.locator('input[name=password]').fill(sign_in.password);
  await page.screenshot({ path: join(results(), 'guest-sign-in.png') });
  await page.keyboard.press('Enter');
  return page;
}

test('somebody whose node was killed goes on at a friend’s, and finds that at home when it is back', async (t) => {
  await told();
  const [{ id }] = await imported(ann, 1);
  const atHome = await play(browser, ann, id);
  await seek(atHome, 40);
  await reach(atHome, 44);
  await atHome.context().close();
  const before = (await item(ann, id, ({ progress }) => progress?.position >= 40)).progress.position;
  await told();
  await ann.kill();

  const page = await signInAs('cook@Ann', bob);
  t.after(() => page.context().close());
  await page.getByTestId('continue').waitFor();
  await page.screenshot({ path: join(results(), 'guest-home.png') });
  await page.goto(`${bob.url}/item/${id}`);
  await page.getByTestId('play').first().click();
  const position = () => document.querySelector('video')?.currentTime ?? 0;
  await page.waitForFunction((seconds) => document.querySelector('video')?.currentTime >= seconds, before + 4);
  const first = await page.evaluate(position);
  assert.ok(first < before + 20, `it went on at ${first} s; at home it was left at ${before} s`);
  await page.waitForFunction((seconds) => document.querySelector('video').currentTime >= seconds, before + 10);
  await page.goto(`${bob.url}/account`);
  await page.getByText('at home at Ann’s node').waitFor();
  await page.screenshot({ path: join(results(), 'guest-account.png') });
  assert.deepEqual(page.faults, []);

  await ann.restart();
  const back = (await item(ann, id, ({ progress }) => progress?.position >= before + 8)).progress.position;
  t.diagnostic(`left at ${before.toFixed(1)} s, gone on with at ${first.toFixed(1)} s, ${back.toFixed(1)} s at home after its return`);
});

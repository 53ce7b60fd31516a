// Three real nodes. Ann's has no films; Bob shares one with her, and Carol the same one. Her page plays it from their nodes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { befriend, held, sent } from './friends.mjs';
import { command, films, imported, results, startBrowser, startNode } from './node.mjs';
import { numbers, play, reach, seek } from './watch.mjs';

const SECONDS = 120;
let ann, bob, carol, browser;

before(async () => {
  const library = films(SECONDS, 'drift');
  [ann, bob, carol] = await Promise.all([startNode(), startNode({ library }), startNode({ library })]);
  await Promise.all([imported(bob, 1), imported(carol, 1)]);
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  for (const node of [ann, bob, carol]) await node?.stop();
});

function ranWell({ watch, stats }) {
  assert.deepEqual(watch.stalls, [], 'no wait for a frame was longer than half a second');
  assert.equal(stats.blocks_failed, 0, 'no block was refused');
  assert.equal(stats.blocks_verified, stats.blocks, 'every block was verified');
}

const sum = (bytes) => Object.values(bytes).reduce((sum, count) => sum + count, 0);

test("a friend's film is found, and its bytes come from the friend's node directly", async (t) => {
  befriend(bob, 'Bob', ann, 'Ann');
  const [film] = await imported(ann, 1);
  assert.equal(film.friend.name, 'Bob');
  const page = await play(browser, ann, film.id);
  t.after(() => page.context().close());
  await reach(page, 15);
  await page.keyboard.press('i');
  await page.getByTestId('sources').getByText('Bob').waitFor();
  await page.screenshot({ path: join(results(), 'friend-player.png') });
  const seen = await numbers(page);
  t.diagnostic(JSON.stringify(seen.stats));
  ranWell(seen);
  const { bytes, friends } = seen.stats;
  const direct = friends[film.friend.id] ?? 0;
  assert.equal(direct, bytes.friend);
  assert.ok(direct / sum(bytes) >= 0.95, `${direct} of ${sum(bytes)} bytes came from Bob's node`);
  assert.deepEqual(page.elsewhere, [], 'no other host was asked for anything');
  assert.deepEqual(page.faults, []);
  await page.goto(`${ann.url}/`);
  await page.getByTestId('friend-initials').first().waitFor();
  await page.screenshot({ path: join(results(), 'friend-home.png') });
});

/** Bob's and Carol's copies of the film, once both are there. */
async function both() {
  const [{ id }] = await imported(ann, 1);
  const sources = await held(ann, id, 2);
  assert.deepEqual(sources.map(({ friend }) => friend.name), ['Bob', 'Carol']);
  return { id, sources };
}

/** Seconds that are loaded; whether they are `enough`. Runs in the page. */
function aheadOf(enough) {
  const video = document.querySelector('video');
  const { buffered, currentTime } = video;
  const ends = Array.from({ length: buffered.length }, (_, n) => (buffered.start(n) <= currentTime ? buffered.end(n) : 0));
  const seconds = Math.max(0, ...ends) - currentTime;
  return enough === undefined ? seconds : seconds >= enough;
}

test('three viewers of a film that a second friend holds too take at most 30 % of it from its owner', async (t) => {
  befriend(carol, 'Carol', ann, 'Ann');
  // The owner has a line as most homes do; the other has upload to spare.
  command(bob, 'friend', 'limit', 'Ann', '10000');
  t.after(() => command(bob, 'friend', 'limit', 'Ann', '0'));
  const { id } = await both();
  const before = await Promise.all([bob, carol].map(sent));
  const pages = await Promise.all([1, 2, 3].map(() => play(browser, ann, id)));
  t.after(() => Promise.all(pages.map((page) => page.context().close())));
  await Promise.all(pages.map((page) => reach(page, 40)));
  const after = await Promise.all([bob, carol].map(sent));
  let shown = 0;
  for (const page of pages) {
    const { stats } = await numbers(page);
    assert.equal(stats.blocks_failed, 0, 'no block was refused');
    shown += sum(stats.bytes);
  }
  // All that left the nodes counts: also what was sent in vain, and what came over Ann's node.
  const [owners, carols] = after.map((bytes, at) => bytes - before[at]);
  const whole = owners + carols;
  t.diagnostic(`${((owners / whole) * 100).toFixed(1)} % of ${whole} bytes came from the owner; the pages had ${shown}`);
  t.diagnostic(JSON.stringify((await numbers(pages[0])).stats));
  assert.ok(whole >= shown, 'nothing came from anywhere else');
  assert.ok(owners / whole <= 0.3, `${owners} of ${whole} bytes came from the owner`);
});

test("a seek waits for nobody when the friend's node hangs and another friend has the same file", async (t) => {
  const { id } = await both();
  const page = await play(browser, ann, id);
  t.after(() => page.context().close());
  await reach(page, 42);
  const usual = await seek(page, 110);
  process.kill(bob.pid, 'SIGSTOP');
  t.after(() => process.kill(bob.pid, 'SIGCONT'));
  const far = await seek(page, 5);
  t.diagnostic(`seek ${far.toFixed(0)} ms, before that ${usual.toFixed(0)} ms`);
  await page.waitForFunction(() => window.watch.media > 8 && window.watch.media < 20, null, { timeout: 30_000 });
  ranWell(await numbers(page));
  assert.ok(far - usual <= 500, `the picture stood still for ${far} ms, and for ${usual} ms while both were there`);
});

test("a film goes on without a wait when the friend's node dies and another friend has the same file", async (t) => {
  const { id, sources } = await both();
  const [, { friend: second }] = sources;
  const page = await play(browser, ann, id);
  t.after(() => page.context().close());
  const usual = await seek(page, 110);
  // Slow lines, and a place that is not loaded: little is when it happens.
  for (const node of [bob, carol]) command(node, 'friend', 'limit', 'Ann', '12000');
  await seek(page, 60);
  const { media } = (await numbers(page)).watch;
  await page.waitForFunction(aheadOf, 5, { timeout: 30_000, polling: 50 });
  const loaded = await page.evaluate(aheadOf);
  await bob.kill();
  const before = (await numbers(page)).stats;
  assert.ok(loaded < 12, `${loaded} seconds were loaded`);
  for (const { friend } of sources) assert.ok(before.friends[friend.id] > 0, `both serve at the same time: ${JSON.stringify(before.friends)}`);
  await reach(page, media + 30);
  ranWell(await numbers(page));
  command(carol, 'friend', 'limit', 'Ann', '0');
  const far = await seek(page, 5);
  await page.waitForFunction(() => window.watch.media > 8 && window.watch.media < 20, null, { timeout: 30_000 });
  const seen = await numbers(page);
  t.diagnostic(`${loaded.toFixed(1)} s loaded; seek ${far.toFixed(0)} ms, before that ${usual.toFixed(0)} ms; ${JSON.stringify({ before, after: seen.stats })}`);
  ranWell(seen);
  assert.ok(far - usual <= 500, `the picture stood still for ${far} ms, and for ${usual} ms while both were there`);
  const more = sum(seen.stats.bytes) - sum(before.bytes);
  const carols = (seen.stats.friends[second.id] ?? 0) - (before.friends[second.id] ?? 0);
  assert.ok(more > 0 && carols / more >= 0.95, `${carols} of ${more} bytes came from Carol's node once Bob's was dead`);
  await page.keyboard.press('i');
  await page.getByTestId('sources').getByText('Carol').waitFor();
  await page.screenshot({ path: join(results(), 'friend-died-player.png') });

  await page.goto(`${ann.url}/item/${id}?content`);
  const holder = (name) => page.getByTestId('holder').filter({ hasText: name });
  await holder('Bob').filter({ hasText: 'off' }).waitFor();
  await holder('Carol').filter({ hasNotText: 'off' }).waitFor();
  await page.screenshot({ path: join(results(), 'friend-died.png') });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: join(results(), 'friend-died-phone.png') });
  await page.goto(`${ann.url}/item/${id}`);
  await page.getByTestId('play').first().waitFor();
  await page.screenshot({ path: join(results(), 'friend-item-phone.png') });
  assert.deepEqual(page.faults, []);
});

// A two-minute film with sound in a real Chromium, its bytes over WebRTC; then without UDP; then with the channel killed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { films, imported, results, startBrowser, startNode } from './node.mjs';
import { blockUdp, finish, hears, numbers, play as playItem, reach, seek } from './watch.mjs';

const SECONDS = 120;
let node, film;

before(async () => {
  node = await startNode({ library: films(SECONDS, 'drift') });
  [film] = await imported(node, 1);
});
after(() => node?.stop());

const play = (browser, options) => playItem(browser, node, film.id, options);

/** Remembers every RTCPeerConnection of the page, so that a test can kill them as a network would. */
function rememberConnections() {
  window.connections = [];
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...settings) {
      super(...settings);
      window.connections.push(this);
    }
  };
}

/** A loaded machine may drop frames, but shows at least every second of the 24; and it never stands still. */
function ranWell({ watch, stats }, frames) {
  assert.ok(watch.frames >= frames, `${watch.frames} frames were shown, at least ${frames} expected`);
  assert.deepEqual(watch.stalls, [], 'no wait for a frame was longer than half a second');
  assert.equal(stats.blocks_failed, 0, 'no block was refused');
  assert.equal(stats.blocks_verified, stats.blocks, 'every block was verified');
}

test('a two-minute film plays from start to end with two seeks, over WebRTC, every block verified', async (t) => {
  const browser = await startBrowser();
  t.after(() => browser.close());
  const page = await play(browser);
  await reach(page, 20);
  const ahead = await seek(page, 70);
  await reach(page, 80);
  const back = await seek(page, 20);
  await page.keyboard.press('i');
  await page.screenshot({ path: join(results(), 'player.png') });
  assert.ok(await hears(page), 'sound is decoded');
  await finish(page);
  const seen = await numbers(page);
  t.diagnostic(`first frame ${page.first_frame_ms} ms, seeks ${ahead.toFixed(0)} and ${back.toFixed(0)} ms; ${JSON.stringify(seen.stats)}`);
  ranWell(seen, 12 * 125);
  const { webrtc = 0, https = 0 } = seen.stats.bytes;
  assert.ok(webrtc / (webrtc + https) >= 0.95, `${webrtc} of ${webrtc + https} media bytes came over WebRTC`);
  assert.ok(webrtc + https >= film.size * 0.8, 'the film went through the planner, not around it');
  assert.deepEqual(page.elsewhere, [], 'no other host was asked for anything');
  assert.deepEqual(page.faults, []);
});

test('with UDP blocked the film plays over HTTPS', async (t) => {
  const browser = await startBrowser();
  t.after(() => browser.close());
  const page = await play(browser, { prepare: blockUdp });
  await reach(page, 15);
  await seek(page, 60);
  await reach(page, 70);
  await seek(page, 105);
  assert.ok(await hears(page));
  await finish(page);
  const seen = await numbers(page);
  t.diagnostic(`first frame ${page.first_frame_ms} ms; ${JSON.stringify(seen.stats)}`);
  ranWell(seen, 12 * 38);
  assert.ok(page.prepared() > 0, 'WebRTC was tried, and its packets were swallowed');
  assert.equal(seen.stats.bytes.webrtc ?? 0, 0, 'nothing came over WebRTC');
  assert.ok(seen.stats.bytes.https > 0);
});

test('with the channel killed in the middle the film plays on, and returns to WebRTC', async (t) => {
  const browser = await startBrowser();
  t.after(() => browser.close());
  const page = await play(browser, { prepare: (page) => page.addInitScript(rememberConnections) });
  await reach(page, 10);
  const before = await numbers(page);
  assert.ok(before.stats.bytes.webrtc > 0, 'it began over WebRTC');
  await page.evaluate(() => window.connections.forEach((connection) => connection.close()));
  await seek(page, 85);
  await reach(page, 90);
  const between = await numbers(page);
  await seek(page, 30);
  await reach(page, 40);
  await seek(page, 110);
  assert.ok(await hears(page));
  await finish(page);
  const seen = await numbers(page);
  t.diagnostic(JSON.stringify({ before: before.stats.bytes, between: between.stats.bytes, end: seen.stats.bytes }));
  ranWell(seen, 12 * 32);
  assert.ok(seen.stats.bytes.webrtc > before.stats.bytes.webrtc, 'WebRTC was taken up again');
});

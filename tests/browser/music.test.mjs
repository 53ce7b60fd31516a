// Music in a real Chromium against a real node: found, played on and on, sought, made anew, and gone on with.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { api, imported, music, results, signedIn, startBrowser, startNode } from './node.mjs';

const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const axe = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

let node, browser, tracks, albums;

before(async () => {
  [node, browser] = await Promise.all([startNode(), startBrowser()]);
  const call = await api(node);
  await call('/libraries', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Music', kind: 'music', path: music() }),
  });
  const found = await imported(node, 7);
  tracks = Object.fromEntries(found.map((track) => [track.title, track]));
  const { items } = await (await call('/items?kind=album')).json();
  albums = Object.fromEntries(items.map((album) => [album.title, album]));
});
after(async () => {
  await browser?.close();
  await node?.stop();
});

/** A page whose decoded sounds are watched: `window.started` has where each begins in the time of its context, in frames. */
async function at(t, path, viewport = WIDE) {
  const page = await signedIn(browser, node, { viewport });
  t.after(() => page.context().close());
  await page.addInitScript(() => {
    window.started = [];
    const { start } = AudioBufferSourceNode.prototype;
    AudioBufferSourceNode.prototype.start = function (when, from = 0, ...rest) {
      const { length, sampleRate } = this.buffer;
      const frames = (seconds) => Math.round(seconds * sampleRate);
      window.started.push({ at: frames(when), from: frames(from), length, rate: this.context.sampleRate });
      return start.call(this, when, from, ...rest);
    };
  });
  await page.goto(node.url + path);
  return page;
}

const album = (title) => `/item/${albums[title].id}`;
const bar = (page) => page.getByTestId('music-bar');
const hears = (page, title) =>
  bar(page).and(page.locator(`[data-item="${tracks[title].id}"][data-playing="true"]`)).waitFor({ timeout: 20_000 });
const position = (page) => page.getByTestId('music-seek').evaluate((slider) => Number(slider.value));
/** Comes back when the position is at least this. */
const isAt = (page, seconds) =>
  page.waitForFunction(
    (seconds) => Number(document.querySelector('[data-testid=music-seek]').value) >= seconds,
    seconds,
  );

function keptToItself(page) {
  assert.deepEqual(page.elsewhere, [], 'no other host was asked for anything');
  assert.deepEqual(page.faults, [], 'no script failed');
}

async function accessible(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa'] }));
  assert.deepEqual(violations.map(({ id }) => id), []);
}

test('an album is found and played, and goes on from track to track while one walks through the page', async (t) => {
  const page = await at(t, '/music');
  await page.getByRole('link', { name: /Quiet Waves/ }).click();
  const rows = page.getByTestId('track');
  await rows.nth(3).waitFor();
  const titles = await rows.locator('.title').allTextContents();
  assert.deepEqual(titles, ['Low Tide', 'Paper Boats', 'Every Window', 'After Rain'], 'by disc and number');
  const heard = page.waitForRequest((request) => request.method() === 'PUT' && /\/progress$/.test(request.url()));
  await page.getByTestId('play').click();
  await hears(page, 'Low Tide');
  await page.screenshot({ path: join(results(), 'album.png') });
  await accessible(page);
  assert.equal((await heard).postDataJSON().completed, true, 'half of it was heard');
  await page.getByTestId('rail').getByRole('link', { name: 'Home', exact: true }).click();
  await hears(page, 'Paper Boats');
  await isAt(page, 0.2);
  const started = await page.evaluate(() => window.started);
  const next = started.findLast(({ from }) => from === 0);
  const before = started[started.indexOf(next) - 1];
  t.diagnostic(`the next track begins ${next.at - (before.at + before.length - before.from)} frames after the end`);
  assert.equal(next.at, before.at + before.length - before.from, 'the next track begins right where the first ends');
  assert.equal(next.rate, 44100);
  const shown = await page.evaluate(() => {
    const { metadata, playbackState } = navigator.mediaSession;
    return [metadata.title, metadata.artist, metadata.album, playbackState, metadata.artwork.length];
  });
  assert.deepEqual(shown, ['Paper Boats', 'Ada Tone', 'Quiet Waves', 'playing', 1]);
  await page.keyboard.press('Shift+N');
  await hears(page, 'Every Window');
  keptToItself(page);
});

test('a place in a track survives a reload with the queue', async (t) => {
  const page = await at(t, album('Quiet Waves'));
  await page.getByTestId('track-play').nth(2).click();
  await hears(page, 'Every Window');
  await isAt(page, 0.1);
  await page.getByTestId('music-seek').evaluate((slider) => {
    slider.value = '20';
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    slider.dispatchEvent(new Event('change', { bubbles: true }));
  });
  await isAt(page, 20.2);
  await page.getByTestId('music-repeat').click();
  await page.getByTestId('music-toggle').click();
  await bar(page).and(page.locator('[data-playing="false"]')).waitFor();
  await page.reload();
  await bar(page).and(page.locator(`[data-item="${tracks['Every Window'].id}"][data-playing="false"]`)).waitFor();
  await page.getByRole('button', { name: 'Repeat the queue' }).waitFor();
  const kept = await position(page);
  assert.ok(kept >= 20 && kept < 25, `it is at ${kept}`);
  await page.getByTestId('music-toggle').click();
  await isAt(page, kept + 0.3);
  assert.ok((await position(page)) < kept + 5, 'it went on from there');
  await page.getByTestId('music-queue').click();
  assert.equal(await page.getByTestId('queue-entry').count(), 4);
  await accessible(page);
  await page.getByTestId('queue-entry').nth(3).getByRole('button', { name: /^Remove/ }).click();
  assert.equal(await page.getByTestId('queue-entry').count(), 3);
  await page.getByTestId('queue-clear').click();
  await bar(page).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await bar(page).waitFor();
  keptToItself(page);
});

test('what the browser does not play is made anew, and sought in', async (t) => {
  const page = await at(t, album('Harmonics'));
  const made = page.waitForResponse((answer) => /\/renditions\/a0-aac2\/segments/.test(answer.url()));
  await page.getByTestId('track-play').nth(2).click();
  await hears(page, 'Third Partial');
  await isAt(page, 0.1);
  assert.ok((await made).ok());
  await page.getByTestId('music-seek').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await isAt(page, 10.2);
  keptToItself(page);
});

test('on a phone a small bar opens into the player', async (t) => {
  const page = await at(t, album('Harmonics'), PHONE);
  await page.getByTestId('shuffle-play').click();
  await bar(page).waitFor();
  await page.getByTestId('music-open').click();
  const sheet = page.getByTestId('queue-sheet');
  await sheet.getByTestId('music-toggle').waitFor();
  await page.screenshot({ path: join(results(), 'music-phone.png') });
  await accessible(page);
  await sheet.getByTestId('music-toggle').click();
  await bar(page).and(page.locator('[data-playing="false"]')).waitFor();
  keptToItself(page);
});

test('search finds albums and tracks, and plays a track from there', async (t) => {
  const page = await at(t, '/search?q=partial');
  await page.getByTestId('track').nth(2).waitFor();
  await page.getByRole('button', { name: 'Play First Partial' }).click();
  await hears(page, 'First Partial');
  await isAt(page, 0.1);
  await page.getByTestId('search').fill('harmonics');
  await page.getByTestId('results').getByRole('link', { name: /Harmonics/ }).first().waitFor();
  keptToItself(page);
});

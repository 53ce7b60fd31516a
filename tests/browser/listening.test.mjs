// What people do with music in a real Chromium: artists, hearts, playlists, lyrics, and the queue at another device.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { api, imported, music, results, signedIn, startBrowser, startNode } from './node.mjs';

const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const axe = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'potluck-listening-'));

let node, browser, call, tracks, albums;

before(async () => {
  cpSync(music(), folder, { recursive: true });
  const words = ['[00:00.50]A tide that is low', '[00:02.00]and the sand is dry', '[00:04.00]goes out', '[00:20.00]and comes back'];
  writeFileSync(join(folder, 'Ada Tone/Quiet Waves/1-03 Every Window.lrc'), words.join('\n'));
  [node, browser] = await Promise.all([startNode({ library: folder, kind: 'music' }), startBrowser()]);
  const found = await imported(node, 7);
  tracks = Object.fromEntries(found.map((track) => [track.title, track]));
  call = await api(node);
  const { items } = await (await call('/items?kind=album')).json();
  albums = Object.fromEntries(items.map((album) => [album.title, album]));
});
after(async () => {
  await browser?.close();
  await node?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function at(t, path, viewport = WIDE) {
  const page = await signedIn(browser, node, { viewport });
  t.after(() => page.context().close());
  await page.goto(node.url + path);
  return page;
}

const album = (title) => `/item/${albums[title].id}`;
const isAt = (page, seconds) =>
  page.waitForFunction((s) => Number(document.querySelector('[data-testid=music-seek]')?.value) >= s, seconds, { timeout: 20_000 });
const titles = (page) => page.getByTestId('track').locator('.title').allTextContents();

function keptToItself(page) {
  assert.deepEqual(page.elsewhere, [], 'no other host was asked for anything');
  assert.deepEqual(page.faults, [], 'no script failed');
}

async function accessible(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa'] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), []);
}

test('artists lead to their albums, an album to its artist, and search finds them', async (t) => {
  const page = await at(t, '/music');
  await page.getByTestId('music-tabs').getByRole('link', { name: 'Artists' }).click();
  await page.getByTestId('artist-card').nth(1).waitFor();
  assert.deepEqual(await page.getByTestId('artist-card').locator('.name').allTextContents(), ['Ada Tone', 'The Sines']);
  await page.screenshot({ path: join(results(), 'artists.png') });
  await accessible(page);
  await page.getByTestId('artist-card').first().click();
  await page.getByTestId('artist-page').waitFor();
  await page.screenshot({ path: join(results(), 'artist.png') });
  await accessible(page);
  await page.getByRole('link', { name: /Quiet Waves/ }).click();
  await page.getByTestId('artist').getByRole('link', { name: 'Ada Tone' }).click();
  await page.getByTestId('play').click();
  await page.getByTestId('music-bar').waitFor();
  await page.goto(`${node.url}/search?q=sin`);
  await page.getByTestId('results').getByTestId('artist-card').click();
  await page.getByRole('link', { name: /Harmonics/ }).waitFor();
  keptToItself(page);
});

test('a heart is pressed in one place and red in all, after a reload too', async (t) => {
  const page = await at(t, album('Quiet Waves'));
  const heart = () => page.getByTestId('track').nth(1).getByTestId('heart');
  await heart().focus();
  const told = page.waitForResponse((answer) => /\/star$/.test(answer.url()));
  await page.keyboard.press('Enter');
  assert.equal((await told).status(), 204);
  assert.equal(await heart().getAttribute('aria-pressed'), 'true');
  await page.reload();
  await page.getByTestId('track').nth(1).locator('[data-testid=heart][aria-pressed=true]').waitFor();
  await page.goto(`${node.url}/starred`);
  await page.getByTestId('track').first().waitFor();
  assert.deepEqual(await titles(page), ['Paper Boats']);
  await accessible(page);
  await page.getByTestId('track').first().getByTestId('heart').click();
  await page.getByTestId('track').locator('[data-testid=heart][aria-pressed=false]').waitFor();
  keptToItself(page);
});

test('a playlist is made of an album and a track, put in order, called otherwise, deleted and taken back', async (t) => {
  const page = await at(t, album('Harmonics'));
  await page.getByTestId('add-to-playlist').click();
  await page.getByTestId('new-playlist').fill('Evening');
  await page.keyboard.press('Enter');
  await page.getByText('Harmonics is in Evening.').waitFor();
  await page.goto(node.url + album('Quiet Waves'));
  await page.getByTestId('track').first().getByTestId('track-more').click();
  await page.getByTestId('track-menu').getByTestId('add-to-playlist').click();
  await accessible(page);
  await page.getByTestId('picked').click();
  await page.getByText('Low Tide is in Evening.').waitFor();
  await page.getByTestId('rail').getByRole('link', { name: 'Music' }).click();
  await page.getByTestId('music-tabs').getByRole('link', { name: 'Playlists' }).click();
  await page.getByTestId('playlist-card').click();
  await page.getByTestId('track').nth(3).waitFor();
  assert.deepEqual(await titles(page), ['First Partial', 'Second Partial', 'Third Partial', 'Low Tide']);
  await page.getByRole('button', { name: 'Move Low Tide up' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  assert.deepEqual(await titles(page), ['First Partial', 'Low Tide', 'Second Partial', 'Third Partial']);
  await page.getByTestId('track').nth(3).dragTo(page.getByTestId('track').nth(0));
  const wanted = ['Third Partial', 'First Partial', 'Low Tide', 'Second Partial'];
  assert.deepEqual(await titles(page), wanted);
  await page.getByRole('button', { name: 'Take First Partial out' }).click();
  await page.getByRole('button', { name: 'Undo' }).click();
  assert.deepEqual(await titles(page), wanted);
  await page.waitForLoadState('networkidle');
  await page.reload();
  await page.getByTestId('track').nth(3).waitFor();
  assert.deepEqual(await titles(page), wanted, 'the node has it in this order');
  await page.screenshot({ path: join(results(), 'playlist.png') });
  await accessible(page);
  await page.getByTestId('playlist-edit').click();
  await page.getByTestId('playlist-name').fill('Night');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Night' }).waitFor();
  await page.getByTestId('play').click();
  await page.locator(`[data-testid=music-bar][data-item="${tracks['Third Partial'].id}"]`).waitFor();
  await page.getByTestId('playlist-remove').click();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('heading', { name: 'Night' }).waitFor();
  assert.equal((await (await call('/playlists')).json()).length, 1);
  keptToItself(page);
});

test('lyrics follow the song, and a line leads to its place', async (t) => {
  const page = await at(t, album('Quiet Waves'));
  await page.getByTestId('track-play').nth(2).click();
  await isAt(page, 0.1);
  await page.getByTestId('music-lyrics').click();
  const now = page.getByTestId('lyrics').locator('[aria-current=true]');
  await now.getByText('and the sand is dry').waitFor({ timeout: 10_000 });
  await page.screenshot({ path: join(results(), 'lyrics.png') });
  await accessible(page);
  await page.getByTestId('lyrics-line').nth(3).getByRole('button').click();
  await now.getByText('and comes back').waitFor();
  await page.keyboard.press('Escape');
  await isAt(page, 20);
  keptToItself(page);
});

test('on a phone, the player has lyrics, loudness, and where the music comes from', async (t) => {
  const page = await at(t, album('Quiet Waves'), PHONE);
  await page.getByTestId('track-play').nth(2).click();
  await page.getByTestId('music-origin').first().waitFor({ state: 'attached' });
  await page.screenshot({ path: join(results(), 'album-phone.png') });
  await page.getByTestId('music-open').click();
  await page.getByTestId('music-supply').locator('summary').click();
  await page.getByTestId('music-loudness').locator('summary').click();
  await page.getByTestId('verified').scrollIntoViewIfNeeded();
  await page.screenshot({ path: join(results(), 'music-supply-phone.png') });
  await accessible(page);
  await page.getByTestId('sheet-lyrics').click();
  await page.getByTestId('lyrics-line').first().waitFor();
  await page.screenshot({ path: join(results(), 'lyrics-phone.png') });
  keptToItself(page);
});

test('what is heard at one device goes on at another', async (t) => {
  const first = await at(t, album('Quiet Waves'));
  const told = first.waitForRequest((request) => request.method() === 'PUT' && /\/play-queue$/.test(request.url()));
  await first.getByTestId('track-play').nth(3).click();
  await told;
  const rested = first.waitForRequest((request) => request.method() === 'PUT' && /\/play-queue$/.test(request.url()));
  await first.getByTestId('music-toggle').click();
  await rested;
  await first.waitForLoadState('networkidle');
  const second = await at(t, '/');
  await second.locator(`[data-testid=music-bar][data-item="${tracks['After Rain'].id}"][data-playing="false"]`).waitFor();
  await second.getByTestId('music-toggle').click();
  await isAt(second, 0.3);
  // A device that has a queue of its own is asked.
  await second.goto(node.url + album('Harmonics'));
  await second.getByTestId('play').click();
  await isAt(second, 0.3);
  const later = second.waitForRequest((request) => request.method() === 'PUT' && /\/play-queue$/.test(request.url()));
  await second.getByTestId('music-toggle').click();
  await later;
  await second.waitForLoadState('networkidle');
  await first.reload();
  await first.getByText('Go on with what you heard at another device?').waitFor();
  await first.getByRole('button', { name: 'Go on' }).click();
  await first.locator(`[data-testid=music-bar][data-item="${tracks['First Partial'].id}"][data-playing="true"]`).waitFor();
  keptToItself(second);
});

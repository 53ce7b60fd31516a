// A link to songs in a real Chromium, for somebody without an account: seen, played on and on, and gone when it is taken back.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { api, imported, music, results, sign_in, startBrowser, startNode, stranger } from './node.mjs';

const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const axe = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

let node, browser, subsonic;

before(async () => {
  [node, browser] = await Promise.all([startNode(), startBrowser()]);
  const call = await api(node);
  const json = { method: 'POST', headers: { 'content-type': 'application/json' } };
  await call('/libraries', { ...json, body: JSON.stringify({ name: 'Music', kind: 'music', path: music() }) });
  await imported(node, 7);
  const app = await (await call('/app-passwords', { ...json, body: JSON.stringify({ name: 'test' }) })).json();
  subsonic = async (method) => {
    const answer = await fetch(`${node.url}/rest/${method}&u=${sign_in.username}&p=${app.password}&c=test&f=json`);
    return (await answer.json())['subsonic-response'];
  };
});
after(async () => {
  await browser?.close();
  await node?.stop();
});

/** A share of the album of this name. */
async function shared(name) {
  const { searchResult3 } = await subsonic(`search3?query=${encodeURIComponent(name)}&artistCount=0&songCount=0`);
  const { shares } = await subsonic(`createShare?id=${searchResult3.album[0].id}&description=for%20you`);
  return shares.share[0];
}

async function visitor(t, link, options = { viewport: WIDE }) {
  const page = await stranger(browser, node, options);
  t.after(() => page.context().close());
  page.on('console', (message) => message.type() === 'error' && page.faults.push(message.text()));
  await page.goto(link);
  return page;
}

const playing = (page, n) =>
  page.waitForFunction(
    (n) => {
      const audio = document.querySelector('audio');
      const current = [...document.querySelectorAll('ol a')].findIndex((song) => song.hasAttribute('aria-current'));
      return current === n && !audio.paused && audio.currentTime > 0.2 && audio.error === null;
    },
    n,
    { timeout: 20_000 },
  );

test('whoever has the link sees the songs, plays one, and hears the next after it', async (t) => {
  const { url } = await shared('Quiet Waves');
  const page = await visitor(t, url);
  assert.equal(await page.getByRole('heading').textContent(), 'Quiet Waves');
  assert.deepEqual(await page.locator('ol b').allTextContents(), ['Low Tide', 'Paper Boats', 'Every Window', 'After Rain']);
  await page.locator('.sleeve').evaluate((cover) => cover.decode());
  await page.getByRole('link', { name: /Paper Boats/ }).click();
  await playing(page, 1);
  await page.screenshot({ path: join(results(), 'share.png') });
  await page.locator('audio').evaluate((audio) => (audio.currentTime = audio.duration - 0.3));
  await playing(page, 2);
  assert.match(await page.locator('#now').textContent(), /Every Window/);
  assert.deepEqual([page.elsewhere, page.faults], [[], []], 'nothing from other hosts, nothing that the policy refuses');
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa'] }));
  assert.deepEqual(violations.map(({ id }) => id), []);
});

test('what the browser does not play comes as MP3', async (t) => {
  const { url } = await shared('Quiet Waves');
  const page = await stranger(browser, node, { viewport: PHONE });
  t.after(() => page.context().close());
  await page.addInitScript(() => (HTMLMediaElement.prototype.canPlayType = () => ''));
  await page.goto(url);
  const sound = page.waitForResponse((response) => /\/sound$/.test(response.url()));
  await page.getByRole('link', { name: /After Rain/ }).click();
  assert.equal((await sound).headers()['content-type'], 'audio/mpeg');
  await playing(page, 3);
  await page.screenshot({ path: join(results(), 'share-phone.png') });
});

test('without scripts each song is a link, and a link that was taken back says so', async (t) => {
  const { id, url } = await shared('Quiet Waves');
  const page = await visitor(t, url, { viewport: WIDE, javaScriptEnabled: false });
  const song = await page.getByRole('link', { name: /Low Tide/ }).getAttribute('href');
  const answer = await page.context().request.get(new URL(song, url).href, { headers: { range: 'bytes=0-99' } });
  assert.deepEqual([answer.status(), (await answer.body()).length], [206, 100]);
  await subsonic(`deleteShare?id=${id}`);
  assert.equal((await page.reload()).status(), 404);
  assert.match(await page.getByRole('heading').textContent(), /nothing behind this link/);
});

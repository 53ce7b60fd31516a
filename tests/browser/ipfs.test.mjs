// Content of another node, opened in the page by its CID and by the name of the node that has it: a folder is walked, a film plays.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { api, films, imported, results, signedIn, startBrowser, startNode, stranger } from './node.mjs';

const SECONDS = 60;
const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const FILM = 'Films/Game of Life (1970)/Game of Life (1970).mp4';
/** Of bytes that nobody has. */
const NOBODY_HAS = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const axe = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

let owner, guest, browser, film, name;

before(async () => {
  owner = await startNode({ library: films(SECONDS, 'life'), visibility: 'public', env: { POTLUCK_IPFS__ROUTING: 'private' } });
  [film] = await imported(owner, 1);
  const side = await (await (await api(owner))('/ipfs')).json();
  name = side.name;
  await found(`${FILM} below the owner's name`, async () => (await fetch(`${owner.url}/ipns/${name}/${encodeURI(FILM)}`, { method: 'HEAD' })).ok);
  const env = { POTLUCK_IPFS__ROUTING: 'private', POTLUCK_IPFS__BOOTSTRAP: side.addresses[0] };
  [guest, browser] = await Promise.all([startNode({ env }), startBrowser()]);
  const call = await api(guest);
  const json = { method: 'POST', headers: { 'content-type': 'application/json' } };
  await call('/ipfs/peers', { ...json, body: JSON.stringify({ address: side.addresses[0] }) });
  await found("the owner's name at the guest", () => call(`/ipfs/content?path=/ipns/${name}`).then(() => true, () => false));
});
after(async () => {
  await browser?.close();
  await Promise.all([guest?.stop(), owner?.stop()]);
});

/** Waits for what no event tells of. */
async function found(what, look) {
  for (const end = Date.now() + 60_000; !(await look()); await pause(100)) {
    if (Date.now() > end) throw new Error(`${what} did not come:\n${owner.log()}\n${guest?.log() ?? ''}`);
  }
}

const seen = (page, id) => page.getByTestId(id).first().waitFor({ state: 'visible', timeout: 70_000 });

/** A page of the node that has nothing itself, signed in, closed with the test. */
async function at(t, path, viewport = WIDE) {
  const page = await signedIn(browser, guest, { viewport });
  t.after(() => page.context().close());
  await page.goto(guest.url + path);
  return page;
}

function keptToItself(page) {
  assert.deepEqual(page.elsewhere, [], 'the browser asked no other host for anything');
  assert.deepEqual(page.faults, [], 'no script failed');
}

async function accessible(page, what) {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  );
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  assert.deepEqual(told, [], `axe finds nothing on ${what}`);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wider <= 0, `${what} is ${wider} px wider than its window`);
}

/** The film plays beyond `seconds`, with pictures. */
const plays = (page, seconds) =>
  page.waitForFunction(
    (at) => {
      const video = document.querySelector('video');
      return video?.error === null && video.videoWidth > 0 && video.currentTime > at && !video.seeking;
    },
    seconds,
    { timeout: 60_000 },
  );

test('somebody opens a film of another node by its CID, and it plays, with a seek', async (t) => {
  const page = await at(t, '/open');
  await page.getByTestId('open-field').fill(`ipfs://${film.cid}`);
  await page.keyboard.press('Enter');
  await seen(page, 'ipfs-player');
  assert.equal(new URL(page.url()).pathname, `/open/ipfs/${film.cid}`);
  assert.equal(await page.getByTestId('ipfs-cid-text').innerText(), film.cid);
  assert.equal(await page.getByTestId('ipfs-link-text').innerText(), page.url());
  await seen(page, 'ipfs-verified');
  await page.evaluate(() => document.querySelector('video').play());
  await plays(page, 1);
  await page.evaluate((to) => (document.querySelector('video').currentTime = to), SECONDS - 15);
  await plays(page, SECONDS - 14);
  await page.screenshot({ path: join(results(), 'ipfs-film.png') });
  const length = await page.evaluate(() => document.querySelector('video').duration);
  assert.ok(Math.abs(length - SECONDS) < 2, `${length} s`);
  await accessible(page, 'a film from elsewhere');
  const saved = page.waitForEvent('download');
  await page.getByTestId('ipfs-download').click();
  const file = readFileSync(await (await saved).path());
  assert.equal(file.length, film.size, 'what is saved is the whole film');
  keptToItself(page);
});

test('the name of a node opens as a folder, and leads to the film with arrows and Enter', async (t) => {
  const page = await at(t, `/open/ipns/${name}`);
  await seen(page, 'entries');
  assert.deepEqual(await page.getByTestId('entry').locator('.name').allInnerTexts(), ['Films']);
  await page.screenshot({ path: join(results(), 'ipfs-folder.png') });
  await accessible(page, 'a folder from elsewhere');
  await page.getByTestId('entry').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname === `/open/ipns/${name}/Films`);
  const folder = page.getByTestId('entry').filter({ hasText: 'Game of Life' });
  await folder.waitFor();
  await folder.click();
  const entry = page.getByTestId('entry').filter({ hasText: 'Game of Life (1970).mp4' });
  await entry.waitFor();
  await page.getByTestId('entry').first().focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Home');
  assert.equal(
    await page.evaluate(() => document.activeElement.title),
    await page.getByTestId('entry').first().getAttribute('title'),
    'Home leads to the first entry',
  );
  await entry.focus();
  await page.keyboard.press('Enter');
  await seen(page, 'ipfs-player');
  assert.equal(await page.getByTestId('ipfs-cid-text').innerText(), film.cid);
  await page.evaluate(() => document.querySelector('video').play());
  await plays(page, 0.5);
  await page.getByTestId('crumbs').getByRole('link', { name: 'Films' }).click();
  await folder.waitFor();
  await page.goBack();
  await seen(page, 'ipfs-player');
  await page.reload();
  await seen(page, 'ipfs-player');
  keptToItself(page);
});

test('a link that is pasted into the search is offered first, and Enter opens it', async (t) => {
  const page = await at(t, '/open');
  await seen(page, 'open');
  await page.getByTestId('rail').getByRole('link', { name: 'Search' }).click();
  await seen(page, 'search');
  await page.keyboard.insertText(`https://ipfs.io/ipfs/${film.cid}?filename=a.mp4`);
  await seen(page, 'open-offer');
  await accessible(page, 'the offer');
  await page.keyboard.press('Enter');
  await seen(page, 'ipfs-player');
  assert.equal(new URL(page.url()).pathname, `/open/ipfs/${film.cid}`);
  keptToItself(page);
});

test('what names nothing is told at the field, and a long wait can be called off', async (t) => {
  const page = await at(t, '/account', PHONE);
  await seen(page, 'more');
  await page.getByTestId('more').click();
  await page.getByTestId('more-sheet').getByRole('link', { name: 'Open a CID' }).click();
  await seen(page, 'open');
  const field = page.getByTestId('open-field');
  await field.fill(film.cid.slice(0, -3));
  await page.keyboard.press('Enter');
  await page.getByTestId('open-wrong').getByText('not a whole CID').waitFor();
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  await accessible(page, 'a wrong CID');
  // Where the answer comes at once there is nothing to call off: it is held back.
  let release = () => {};
  const held = new Promise((resolve) => (release = resolve));
  await page.route('**/api/v1/ipfs/content?*', async (route) => {
    await held;
    await route.continue().catch(() => {});
  });
  await field.fill(NOBODY_HAS);
  await page.keyboard.press('Enter');
  await seen(page, 'looking');
  await accessible(page, 'the wait');
  await page.screenshot({ path: join(results(), 'ipfs-looking-phone.png') });
  await page.keyboard.press('Escape');
  await page.getByText('You stopped looking').waitFor();
  release();
  await page.unroute('**/api/v1/ipfs/content?*');
  await page.getByRole('button', { name: 'Look again' }).click();
  await seen(page, 'refused');
  assert.match(await page.getByTestId('refused').getAttribute('data-word'), /^(not_found|too_slow)$/);
  await accessible(page, 'what nobody has');
  await page.screenshot({ path: join(results(), 'ipfs-nobody-phone.png') });
  keptToItself(page);
});

test("a stranger's browser gets nothing from elsewhere", async (t) => {
  const page = await stranger(browser, guest, { viewport: WIDE });
  t.after(() => page.context().close());
  await page.goto(`${guest.url}/open/ipfs/${film.cid}`);
  await seen(page, 'sign-in');
  const asked = (path) => page.evaluate(async (path) => (await fetch(path)).status, path);
  assert.equal(await asked(`/api/v1/ipfs/content?path=${film.cid}`), 401);
  assert.equal(await asked(`/ipfs/${film.cid}`), 404);
  assert.equal(await asked(`/ipns/${name}/Films`), 404);
  assert.deepEqual(page.elsewhere, []);
});

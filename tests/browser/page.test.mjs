// The page against a real node: signing in, the welcome, finding one's way, the Content drawer, accessibility.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { films, imported, results, sign_in, signedIn, startBrowser, startNode } from './node.mjs';

const SECONDS = 12;
const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const axe = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

let node, empty, browser, library, items;

before(async () => {
  library = films(SECONDS);
  [node, empty, browser] = await Promise.all([startNode({ library }), startNode(), startBrowser()]);
  items = await imported(node, 3);
});
after(async () => {
  await browser?.close();
  await Promise.all([node?.stop(), empty?.stop()]);
});

const seen = (page, id) => page.getByTestId(id).first().waitFor({ state: 'visible', timeout: 15_000 });

/** A page at `path` of a node, signed in, closed with the test. */
async function at(t, path, { viewport = WIDE, on = node } = {}) {
  const page = await signedIn(browser, on, { viewport });
  t.after(() => page.context().close());
  await page.goto(on.url + path);
  return page;
}

/** Nobody else was asked for anything, and nothing on the page failed. */
function keptToItself(page) {
  assert.deepEqual(page.elsewhere, [], 'no other host was asked for anything');
  assert.deepEqual(page.faults, [], 'no script failed');
}

async function accessible(page, what) {
  // Pictures that fade in would be judged half faded.
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

test('a wrong password is told, a right one leads to where one wanted to go', async (t) => {
  const context = await browser.newContext({ viewport: WIDE });
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${node.url}/films`);
  await seen(page, 'sign-in');
  await accessible(page, 'the sign-in');
  await page.getByLabel('Name').fill(sign_in.username);
  await page.getByLabel('Password').fill('not this one');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('do not belong together').waitFor();
  await page.getByLabel('Password').fill(sign_in.password);
  await page.keyboard.press('Enter');
  await seen(page, 'grid');
  assert.equal(new URL(page.url()).pathname, '/films');
  await page.reload();
  await seen(page, 'grid');
});

test('signing out forgets everything', async (t) => {
  const page = await at(t, '/account');
  await page.getByTestId('sign-out').click();
  await seen(page, 'sign-in');
  await page.goBack();
  await page.goto(`${node.url}/films`);
  await seen(page, 'sign-in');
  assert.equal(await page.getByTestId('item-card').count(), 0);
});

test('signing out closes the data channels that were opened before', async (t) => {
  const page = await signedIn(browser, node, { viewport: WIDE });
  t.after(() => page.context().close());
  await page.addInitScript(() => {
    window.channels_closed = [];
    const make = RTCPeerConnection.prototype.createDataChannel;
    RTCPeerConnection.prototype.createDataChannel = function (...settings) {
      const channel = make.apply(this, settings);
      const place = window.channels_closed.push(null) - 1;
      channel.addEventListener('open', () => (window.channels_closed[place] = false));
      channel.addEventListener('close', () => (window.channels_closed[place] = true));
      return channel;
    };
  });
  // The page of a film opens the connection ahead of its playing.
  await page.goto(`${node.url}/item/${items[0].id}`);
  await page.waitForFunction(() => window.channels_closed.includes(false), null, { timeout: 15_000 });
  // Signed out elsewhere: this page does nothing itself, the node closes what the session had opened.
  const answer = await page.context().request.post(`${node.url}/api/v1/logout`);
  assert.ok(answer.ok(), String(answer.status()));
  await page.waitForFunction(() => window.channels_closed.every((closed) => closed !== false), null, { timeout: 15_000 });
});

test('an empty node welcomes its owner in three steps', async (t) => {
  const page = await at(t, '/', { on: empty });
  await seen(page, 'welcome');
  await accessible(page, 'the welcome');
  await page.getByTestId('folder-path').fill(library);
  await page.getByTestId('folder-path').press('Enter');
  await page.getByTestId('finds').getByText('3 videos').waitFor();
  await page.screenshot({ path: join(results(), 'welcome-1.png') });
  await page.getByTestId('use-folder').click();
  await page.locator('[data-testid=welcome][data-step="2"]').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=found] [data-testid=item-card]').length === 3, null, {
    timeout: 60_000,
  });
  await page.screenshot({ path: join(results(), 'welcome-2.png') });
  await accessible(page, 'the welcome while it fills');
  await page.getByTestId('welcome-continue').click();
  await seen(page, 'welcome-play');
  await page.getByTestId('welcome-home').click();
  await seen(page, 'hero');
  await seen(page, 'shelf');
  keptToItself(page);
});

test('one finds the way by rail, cards and Back', async (t) => {
  const page = await at(t, '/');
  await seen(page, 'hero');
  await page.getByTestId('rail').getByRole('link', { name: 'Films' }).click();
  await seen(page, 'grid');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=grid] [data-testid=item-card]').length === 3);
  assert.match(await page.getByTestId('count').innerText(), /^3 /);
  const card = page.getByTestId('item-card').first();
  const id = await card.getAttribute('data-item');
  await card.click();
  await seen(page, 'item');
  assert.equal(new URL(page.url()).pathname, `/item/${id}`);
  await page.goBack();
  await seen(page, 'grid');
  assert.equal(new URL(page.url()).pathname, '/films');
  keptToItself(page);
});

test('a phone has a short bar, and the rest behind one button that keys open too', async (t) => {
  const page = await at(t, '/', { viewport: PHONE });
  const rail = page.getByTestId('rail');
  await seen(page, 'more');
  assert.ok((await rail.getByRole('link').count()) <= 5, 'the bar is not crowded');
  const cut = await rail.evaluate((rail) =>
    [...rail.querySelectorAll('span')].filter((name) => name.scrollWidth > name.clientWidth).map((name) => name.textContent),
  );
  assert.deepEqual(cut, [], 'every name is whole');
  await page.screenshot({ path: join(results(), 'phone-bar.png') });
  await page.getByTestId('more').focus();
  await page.keyboard.press('Enter');
  const sheet = page.getByTestId('more-sheet');
  assert.deepEqual(await sheet.getByRole('link').allInnerTexts(), ['Open a CID', 'Friends', 'Status', sign_in.username]);
  await page.screenshot({ path: join(results(), 'phone-more.png') });
  await accessible(page, 'the rest of the way');
  await sheet.getByRole('link', { name: 'Friends' }).click();
  await page.waitForURL(`${node.url}/friends`);
  await sheet.waitFor({ state: 'detached' });
  keptToItself(page);
});

test('an invite is shown as a QR code too', async (t) => {
  const page = await at(t, '/friends', { viewport: PHONE });
  await page.getByRole('button', { name: 'Invite a friend' }).first().click();
  await page.getByRole('button', { name: 'Make a code' }).click();
  await seen(page, 'qr');
  const { width, height } = await page.getByTestId('qr').boundingBox();
  assert.ok(width >= 200 && Math.abs(width - height) < 1, `${width} by ${height} is enough for a camera`);
  await accessible(page, 'the invite');
  await page.screenshot({ path: join(results(), 'invite-phone.png') });
  keptToItself(page);
});

test('sorting and filtering are in the address and survive a reload', async (t) => {
  const page = await at(t, '/films');
  await seen(page, 'grid');
  await page.getByTestId('sort').selectOption('-added');
  await page.waitForFunction(() => location.search === '?sort=-added');
  await page.getByTestId('filter').selectOption('unwatched');
  await page.waitForFunction(() => location.search === '?sort=-added&watched=unwatched');
  await page.reload();
  await seen(page, 'grid');
  assert.equal(await page.getByTestId('sort').inputValue(), '-added');
  await page.getByTestId('filter').selectOption('completed');
  await seen(page, 'empty');
});

test('everything is reached by keyboard: slash, arrows, Enter', async (t) => {
  const page = await at(t, '/films');
  await seen(page, 'grid');
  await page.getByTestId('item-card').first().focus();
  await page.keyboard.press('ArrowRight');
  const focused = (place) =>
    page.waitForFunction((p) => document.activeElement?.closest('[data-place]')?.dataset.place === p, place);
  await focused('1');
  await page.keyboard.press('End');
  await focused('2');
  await page.keyboard.press('/');
  await seen(page, 'search');
  await page.keyboard.type(items[0].title.slice(0, 4));
  await seen(page, 'results');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await seen(page, 'item');
  await page.keyboard.press('/');
  await page.keyboard.type('qqqq');
  await seen(page, 'empty');
  keptToItself(page);
});

test('an app password is made on the account page, shown again with its code, and opens what it is for', async (t) => {
  const page = await at(t, '/account');
  const apps = page.getByTestId('apps');
  await apps.getByRole('textbox').fill('DSub on a phone');
  await apps.getByRole('button', { name: 'Make a password' }).click();
  await seen(page, 'app-password');
  const password = await page.getByTestId('app-secret').innerText();
  assert.match(password, /^([0-9a-z]{4}-){6}[0-9a-z]{4}$/);
  await accessible(page, 'an app password');
  await page.screenshot({ path: join(results(), 'app-password.png') });
  await page.keyboard.press('Escape');
  await page.getByTestId('app-password').waitFor({ state: 'detached' });
  await apps.getByRole('button', { name: /^Show ?: DSub on a phone$/ }).click();
  assert.equal(await page.getByTestId('app-secret').innerText(), password);
  await seen(page, 'qr');
  const ping = await fetch(`${node.url}/rest/ping.view?f=json&c=test&apiKey=${password}`);
  assert.equal((await ping.json())['subsonic-response'].status, 'ok');
  keptToItself(page);
});

test('the Content drawer names the file, and its link gives the bytes', async (t) => {
  const [film] = items;
  const page = await at(t, `/item/${film.id}`);
  await page.getByTestId('content-button').click();
  await seen(page, 'content-drawer');
  assert.equal(new URL(page.url()).search, '?content=1');
  assert.equal(await page.getByTestId('copy-cid-text').innerText(), film.cid);
  assert.equal(await page.getByTestId('copy-path-text').innerText(), `/ipfs/${film.cid}`);
  assert.equal(await page.getByTestId('copy-uri-text').innerText(), `ipfs://${film.cid}`);
  const link = await page.getByTestId('copy-link-text').innerText();
  const answer = await page.request.get(link, { headers: { range: 'bytes=0-99' } });
  assert.equal(answer.status(), 206);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByTestId('copy-cid').click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), film.cid);
  await accessible(page, 'the Content drawer');
  await page.keyboard.press('Escape');
  await page.getByTestId('content-drawer').waitFor({ state: 'detached' });
  assert.equal(new URL(page.url()).search, '');
  keptToItself(page);
});

test('marking as watched can be undone', async (t) => {
  const page = await at(t, `/item/${items[1].id}`);
  const mark = page.getByTestId('mark-watched');
  await mark.click();
  await page.getByTestId('toasts').getByRole('button', { name: 'Undo' }).click();
  await page.waitForFunction(() => document.querySelector('[data-testid=mark-watched]').ariaPressed === 'false');
  await page.reload();
  await mark.waitFor();
  assert.equal(await mark.getAttribute('aria-pressed'), 'false');
});

test('the player obeys its keys and remembers where one stopped', async (t) => {
  const film = items[2];
  const page = await at(t, `/play/${film.id}?t=0`);
  const video = (read) => page.evaluate(read);
  await page.waitForFunction(() => document.querySelector('video')?.currentTime > 0.3, null, { timeout: 30_000 });
  await page.keyboard.press(' ');
  assert.equal(await video(() => document.querySelector('video').paused), true);
  // Saved while paused or on leaving, whichever comes first.
  const saved = page.waitForResponse(
    (answer) => {
      const place = answer.url().endsWith('/progress') && answer.ok() ? answer.request().postDataJSON() : null;
      return place !== null && Math.abs(place.position - film.duration / 2) < 1;
    },
    { timeout: 90_000 },
  );
  await page.keyboard.press('5');
  await page.waitForFunction((t) => Math.abs(document.querySelector('video').currentTime - t) < 0.5, film.duration / 2);
  await page.keyboard.press('m');
  assert.equal(await video(() => document.querySelector('video').muted), true);
  await page.keyboard.press('i');
  await seen(page, 'info-panel');
  assert.equal(await page.getByTestId('file-cid').innerText(), film.cid);
  await accessible(page, 'the player with its panel');
  await page.keyboard.press('a');
  await page.getByRole('menu').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.getByTestId('info-panel').waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await seen(page, 'item');
  await saved;
  await page.goto(`${node.url}/item/${film.id}`);
  await page.getByTestId('play').getByText('Resume at 0:06').waitFor();
  await page.goto(`${node.url}/`);
  await seen(page, 'continue');
  keptToItself(page);
});

for (const [name, viewport] of [
  ['a desktop', WIDE],
  ['a phone', PHONE],
]) {
  test(`axe finds nothing on ${name}, and nothing is cut off`, async (t) => {
    const page = await at(t, '/', { viewport });
    const views = {
      home: ['/', 'hero'],
      films: ['/films', 'item-card'],
      item: [`/item/${items[0].id}`, 'item'],
      search: [`/search?q=${encodeURIComponent(items[0].title.split(' ')[0])}`, 'results'],
      status: ['/status', 'carriers'],
      account: ['/account', 'api-keys'],
      open: ['/open', 'open-field'],
      missing: ['/item/nothing', 'problem'],
    };
    for (const [view, [path, sign]] of Object.entries(views)) {
      await page.goto(node.url + path);
      await seen(page, sign);
      await page.waitForLoadState('networkidle').catch(() => {});
      await page.screenshot({ path: join(results(), `${view}-${viewport.width}.png`) });
      await accessible(page, `${view} on ${name}`);
    }
    keptToItself(page);
  });
}

test('the page is small: less than 200 kB come before the first view stands', async (t) => {
  const page = await signedIn(browser, node);
  t.after(() => page.context().close());
  let bytes = 0;
  page.on('response', async (answer) => {
    if (/\.(js|css|html|svg)$|\/$/.test(new URL(answer.url()).pathname)) bytes += (await answer.request().sizes()).responseBodySize;
  });
  await page.goto(node.url);
  await seen(page, 'hero');
  await page.waitForLoadState('networkidle');
  t.diagnostic(`${Math.round(bytes / 1000)} kB`);
  assert.ok(bytes > 0 && bytes < 200_000, `${bytes} bytes were sent`);
});

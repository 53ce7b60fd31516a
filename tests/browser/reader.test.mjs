// Comics in a real Chromium against a real node: found, read with keys and fingers, remembered, read on.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { comics, imported, results, signedIn, startBrowser, startNode } from './node.mjs';

const PAGES = 8;
const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const axe = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

let node, browser, books;

before(async () => {
  [node, browser] = await Promise.all([startNode({ library: comics(), kind: 'comics' }), startBrowser()]);
  books = (await imported(node, 4)).sort((a, b) => a.show_title.localeCompare(b.show_title) || a.number - b.number);
});
after(async () => {
  await browser?.close();
  await node?.stop();
});

async function at(t, path, viewport = WIDE) {
  const page = await signedIn(browser, node, { viewport });
  t.after(() => page.context().close());
  await page.goto(node.url + path);
  return page;
}

const reader = (page) => page.getByTestId('reader');
const onPage = (page, number) => reader(page).and(page.locator(`[data-page="${number}"]`)).waitFor({ timeout: 15_000 });
const shown = (page, number) => page.locator(`[data-testid=page][data-page="${number}"][data-state=there]`).waitFor();

/** Comes back when the page has told the node how far a book was read, and that is right; ask before what leads to it. */
function told(page, id, right) {
  return page.waitForResponse((answer) => {
    const request = answer.request();
    const about = request.method() === 'PUT' && request.url().endsWith(`/items/${id}/progress`);
    return about && answer.ok() && right(request.postDataJSON());
  });
}

function keptToItself(page) {
  assert.deepEqual(page.elsewhere, [], 'no other host was asked for anything');
  assert.deepEqual(page.faults, [], 'no script failed');
}

test('a series is found in the comics and opened at its first book', async (t) => {
  const page = await at(t, '/comics');
  await page.getByRole('link', { name: /Coastlines/ }).first().click();
  await page.getByRole('heading', { name: 'Coastlines' }).waitFor();
  await page.getByText('The Long Valley').waitFor();
  await page.screenshot({ path: join(results(), 'series.png') });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa'] }));
  assert.deepEqual(violations.map(({ id }) => id), []);
  keptToItself(page);
});

test('a book is read with the keys, remembered, and gone on with after a reload', async (t) => {
  const [book] = books;
  const page = await at(t, `/read/${book.id}`);
  await onPage(page, 1);
  await shown(page, 1);
  const fourth = told(page, book.id, ({ position, completed }) => position === 4 && !completed);
  for (const key of ['ArrowRight', 'Space', 'PageDown']) await page.keyboard.press(key);
  await onPage(page, 4);
  await shown(page, 4);
  await page.screenshot({ path: join(results(), 'reader.png') });
  await fourth;
  await page.reload();
  await onPage(page, 4);
  const whole = told(page, book.id, ({ completed }) => completed);
  await page.keyboard.press('End');
  await onPage(page, PAGES);
  await whole;
  await page.keyboard.press('n');
  await page.waitForURL((url) => url.pathname === `/read/${books[1].id}`);
  keptToItself(page);
});

test('a book that is read from right to left is turned the other way', async (t) => {
  const page = await at(t, `/read/${books[2].id}`);
  await onPage(page, 1);
  await page.keyboard.press('ArrowLeft');
  await onPage(page, 2);
  await page.keyboard.press('ArrowRight');
  await onPage(page, 1);
  keptToItself(page);
});

test('on a phone a tap at the side turns the page, and home says where one was', async (t) => {
  const [, , , book] = books;
  const page = await at(t, `/read/${book.id}`, PHONE);
  await onPage(page, 1);
  const second = told(page, book.id, ({ position }) => position === 2);
  // Read from right to left: on is on the left.
  await page.mouse.click(30, 420);
  await onPage(page, 2);
  await second;
  await page.goto(`${node.url}/`);
  await page.getByText(`Page 2 of ${PAGES}`).first().waitFor();
  await page.screenshot({ path: join(results(), 'home-reading-phone.png') });
  keptToItself(page);
});

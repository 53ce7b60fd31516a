// Comics in a real Chromium: their pages as verified blocks, over WebRTC, over HTTPS where UDP is blocked, and from a friend's node.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { befriend } from './friends.mjs';
import { comics, imported, results, signedIn, startBrowser, startNode } from './node.mjs';
import { blockUdp } from './watch.mjs';

const PAGES = 8;
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

const onPage = (page, number) =>
  page.locator(`[data-testid=reader][data-page="${number}"]`).waitFor({ timeout: 15_000 });
const shown = (page, number) => page.locator(`[data-testid=page][data-page="${number}"][data-state=there]`).waitFor();

function keptToItself(page) {
  assert.deepEqual(page.elsewhere, [], 'no other host was asked for anything');
  assert.deepEqual(page.faults, [], 'no script failed');
}

/** Comes to a book by its page, which opens the connections, and begins to read. Requests for pages and books by their address are kept. */
async function begin(t, { id }, { from = node, prepare } = {}) {
  const page = await signedIn(browser, from, { viewport: { width: 1280, height: 800 } });
  t.after(() => page.context().close());
  page.plainly = [];
  page.on('request', (request) => /\/pages\/\d+|\/file$/.test(request.url()) && page.plainly.push(request.url()));
  page.prepared = await prepare?.(page);
  await page.goto(`${from.url}/item/${id}`);
  await page.getByTestId('read').first().waitFor();
  await page.waitForLoadState('networkidle');
  await page.getByTestId('read').first().click();
  return page;
}

async function read(t, book, options) {
  const page = await begin(t, book, options);
  await onPage(page, 1);
  return page;
}

/** Turns to the last page, looking at each; the milliseconds that each turn took to be seen, and what the page says of its supply. */
async function leaf(page) {
  const turns = [];
  for (let number = 1; number <= PAGES; number += 1) {
    if (number > 1) await page.keyboard.press('ArrowRight');
    const asked = performance.now();
    await shown(page, number);
    turns.push(Math.round(performance.now() - asked));
  }
  return { turns, stats: await page.evaluate(() => window.__potluckBook.stats()) };
}

function allVerified(page, { stats }) {
  assert.deepEqual(page.plainly, [], 'no page came by its address');
  assert.equal(stats.blocks_failed, 0, 'no block was refused');
  assert.ok(stats.blocks_verified >= PAGES && stats.blocks_verified === stats.blocks, 'every block was verified');
}

test('pages come over WebRTC as verified blocks, and the panel says so', async (t) => {
  const page = await read(t, books[0]);
  const seen = await leaf(page);
  t.diagnostic(JSON.stringify(seen));
  allVerified(page, seen);
  const { webrtc = 0, https = 0 } = seen.stats.bytes;
  assert.ok(webrtc / (webrtc + https) >= 0.95, `${webrtc} of ${webrtc + https} bytes came over WebRTC`);
  await page.keyboard.press('i');
  await page.getByTestId('page-origin').getByText('This node, WebRTC · verified').waitFor();
  await page.locator('[data-testid=sources] [data-source=webrtc]').waitFor();
  const cid = await page.getByTestId('page-cid').innerText();
  const picture = await page.context().request.get(`${node.url}/ipfs/${cid}`);
  assert.deepEqual([...(await picture.body()).subarray(0, 3)], [0xff, 0xd8, 0xff], 'its name leads to the picture');
  await page.screenshot({ path: join(results(), 'reader-info.png') });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa'] }));
  assert.deepEqual(violations.map(({ id }) => id), []);
  keptToItself(page);
});

test('with UDP blocked pages come over HTTPS, verified all the same', async (t) => {
  const page = await read(t, books[1], { prepare: blockUdp });
  const seen = await leaf(page);
  t.diagnostic(JSON.stringify(seen));
  allVerified(page, seen);
  assert.ok(page.prepared() > 0, 'WebRTC was tried, and its packets were swallowed');
  assert.equal(seen.stats.bytes.webrtc ?? 0, 0, 'nothing came over WebRTC');
  assert.ok(seen.stats.bytes.https > 0);
  keptToItself(page);
});

test('a page that is turned past at once is given up, and the one that is looked at comes', async (t) => {
  const page = await read(t, books[2]);
  await shown(page, 1);
  // Read from right to left: on is on the left.
  for (let turn = 1; turn < PAGES; turn += 1) await page.keyboard.press('ArrowLeft');
  await shown(page, PAGES);
  const { blocks_failed: failed } = await page.evaluate(() => window.__potluckBook.stats());
  assert.deepEqual([failed, page.plainly], [0, []]);
  keptToItself(page);
});

test("a friend's comic comes from the friend's node directly", async (t) => {
  const ann = await startNode();
  t.after(() => ann.stop());
  befriend(node, 'Bob', ann, 'Ann');
  const book = (await imported(ann, 4)).find(({ show_title, number }) => show_title === 'Coastlines' && number === '1');
  const page = await read(t, book, { from: ann });
  const seen = await leaf(page);
  t.diagnostic(JSON.stringify(seen));
  allVerified(page, seen);
  const direct = seen.stats.friends[book.friend.id] ?? 0;
  const all = Object.values(seen.stats.bytes).reduce((sum, count) => sum + count, 0);
  assert.ok(direct / all >= 0.95, `${direct} of ${all} bytes came from Bob's node`);
  await page.keyboard.press('i');
  await page.getByTestId('sources').getByText('Bob').waitFor();
  await page.screenshot({ path: join(results(), 'friend-reader.png') });
  keptToItself(page);
});

/** A library with an EPUB of one chapter and a picture of two and a half MiB that nothing packs. */
function prose() {
  const folder = mkdtempSync(join(tmpdir(), 'potluck-prose-'));
  const work = join(folder, '.work');
  mkdirSync(join(work, 'META-INF'), { recursive: true });
  const opf = `<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
    <dc:title>Prose</dc:title></metadata><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>
    <item id="b" href="b.xhtml" media-type="application/xhtml+xml"/><item id="n" href="noise.bin" media-type="application/octet-stream"/>
    </manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>`;
  const container = `<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>
    <rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`;
  const files = {
    mimetype: 'application/epub+zip',
    'META-INF/container.xml': container,
    'book.opf': opf,
    'a.xhtml': '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>Once there was a reader.</p></body></html>',
    'b.xhtml': `<html xmlns="http://www.w3.org/1999/xhtml"><body>${'<p>She read on and on, and on.</p>'.repeat(200)}<p>The end.</p></body></html>`,
    'noise.bin': randomBytes(2.5 * 1024 * 1024),
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(work, name), bytes);
  mkdirSync(join(folder, 'Prose'));
  execFileSync('zip', ['-q', '-X', '-0', join(folder, 'Prose/Prose.epub'), ...Object.keys(files)], { cwd: work });
  rmSync(work, { recursive: true });
  return folder;
}

test('an EPUB that flows comes whole by the blocks of its file', async (t) => {
  const library = prose();
  const from = await startNode({ library, kind: 'books' });
  t.after(async () => {
    await from.stop();
    rmSync(library, { recursive: true });
  });
  const [book] = await imported(from, 1);
  const page = await begin(t, book, { from });
  await page.frameLocator('iframe').getByText('Once there was a reader.').waitFor();
  const { bytes, blocks_verified: verified, blocks_failed: failed } = await page.evaluate(() => window.__potluckBook.stats());
  t.diagnostic(JSON.stringify(bytes));
  assert.deepEqual([page.plainly, failed, verified], [[], 0, 4], 'its root and three blocks');
  assert.ok(bytes.webrtc > 2.5 * 1024 * 1024);

  // A place in the middle of a chapter is kept: here, and for other programs.
  const told = () => page.waitForResponse((r) => r.url().endsWith('/progress') && r.request().postDataJSON().part > 0.2);
  await page.keyboard.press('ArrowRight');
  await page.frameLocator('iframe').getByText('The end.').waitFor();
  const kept = told();
  for (let n = 0; n < 4; n += 1) await page.keyboard.press('Space');
  const { position, completed, part } = (await kept).request().postDataJSON();
  assert.deepEqual([position, completed], [2, false], 'the last chapter is not read to its end');
  await page.reload();
  await page.frameLocator('iframe').getByText('The end.').waitFor();
  const inside = page.frameLocator('iframe').locator('html');
  const now = await inside.evaluate((root) => root.scrollTop / root.scrollHeight);
  assert.ok(Math.abs(now - part) < 0.005, `${now} of the chapter is above the window, ${part} was`);
  const read = page.waitForResponse((r) => r.url().endsWith('/progress') && r.request().postDataJSON().completed);
  for (let n = 0; n < 12; n += 1) await page.keyboard.press('Space');
  await read;
  keptToItself(page);
});

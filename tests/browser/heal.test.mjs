// A disk that gives back other bytes than were written, under a film that somebody plays: what is wrong is never shown.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, openSync, closeSync, readFileSync, readSync, readdirSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { films, imported, results, signedIn, startBrowser, startNode } from './node.mjs';
import { befriend, held } from './friends.mjs';
import { numbers, play, reach, seek } from './watch.mjs';

const SECONDS = 120;
const MIB = 1024 * 1024;
let ann, bob, carol, browser, library;

before(async () => {
  const right = films(SECONDS, 'drift');
  library = mkdtempSync(join(tmpdir(), 'potluck-damaged-'));
  cpSync(right, library, { recursive: true, preserveTimestamps: true });
  [ann, bob, carol] = await Promise.all([startNode(), startNode({ library }), startNode({ library: right })]);
  await Promise.all([imported(bob, 1), imported(carol, 1)]);
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  for (const node of [ann, bob, carol]) await node?.stop();
  if (library) rmSync(library, { recursive: true, force: true });
});

function video() {
  const names = readdirSync(library, { recursive: true });
  return join(library, names.find((name) => name.endsWith('.mkv')));
}

/** Flips a bit in each of the last `count` MiB but one; the size stays, and the time. */
function damage(path, count) {
  const { size, atime, mtime } = statSync(path);
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  for (let n = 1; n <= count; n++) {
    const at = size - n * MIB - MIB / 2;
    readSync(file, byte, 0, 1, at);
    byte[0] ^= 0x10;
    writeSync(file, byte, 0, 1, at);
  }
  closeSync(file);
  utimesSync(path, atime, mtime);
}

test('a film goes on where the disk of the node that plays it has changed bytes, and the file is repaired', async (t) => {
  befriend(bob, 'Bob', ann, 'Ann');
  const [{ id }] = await imported(ann, 1);
  befriend(carol, 'Carol', ann, 'Ann');
  await held(ann, id, 2);
  befriend(carol, 'Carol', bob, 'Bob');
  const [{ id: bobs }] = await imported(bob, 1);
  await held(bob, bobs, 2);

  const page = await play(browser, ann, id);
  t.after(() => page.context().close());
  const path = video();
  const right = readFileSync(path);
  damage(path, 15);
  assert.notDeepEqual(readFileSync(path), right);
  await reach(page, 5);
  const far = await seek(page, 95);
  await reach(page, 110);
  const seen = await numbers(page);
  t.diagnostic(`seek ${far.toFixed(0)} ms; ${JSON.stringify(seen.stats)}`);
  assert.deepEqual(seen.watch.stalls, [], 'no wait for a frame was longer than half a second');
  assert.equal(seen.stats.blocks_failed, 0, 'no block was refused');

  const status = await signedIn(browser, bob);
  t.after(() => status.context().close());
  await status.goto(`${bob.url}/status`);
  await status.getByTestId('alerts').getByText(/Carol/).first().waitFor();
  await status.screenshot({ path: join(results(), 'healed-status.png') });
  assert.deepEqual(readFileSync(path), right, "Bob's file is as it was");
  assert.deepEqual([...page.faults, ...status.faults], []);
});

// Films that Chromium cannot play as they are: HEVC, AC-3, ASS, HDR. Transcoded by a real node, played by a real page.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { api, foreignFilms, graphicsDevice, imported, results, startBrowser, startNode } from './node.mjs';
import { blockUdp, colour, finish, hears, numbers, play as playItem, reach, seek } from './watch.mjs';

let node, foreign, bright, folder, browser;

before(async () => {
  folder = foreignFilms();
  [node, browser] = await Promise.all([startNode({ library: folder }), startBrowser()]);
  [foreign, bright] = titled(await imported(node, 2));
});
after(async () => {
  await browser?.close();
  await node?.stop();
});

const titled = (items) => ['Foreign Film', 'Bright Film'].map((title) => items.find((item) => item.title === title));

async function play(t, item, { on = node, ...options } = {}) {
  const page = await playItem(browser, on, item.id, { ready: 60_000, ...options });
  t.after(() => page.context().close());
  return page;
}

/** The corner of the foreign film says which second of it is shown: 16 + 13 * (second mod 16) of brightness. */
const CORNER = [0.01, 0.01, 0.1, 0.1];
const shade = (second) => ((16 + 13 * (Math.floor(second) % 16) - 16) * 255) / 219;

async function showsSecond(page, second) {
  const [red] = await colour(page, CORNER);
  assert.ok(Math.abs(red - shade(second)) < 8, `second ${second} is shown: ${red.toFixed(0)} is near ${shade(second).toFixed(0)}`);
}

/** Goes to the middle of a second and looks at it there. */
async function seekTo(page, second) {
  const ms = await seek(page, second + 0.5);
  await page.keyboard.press(' ');
  await showsSecond(page, await page.evaluate(() => document.querySelector('video').currentTime));
  await page.keyboard.press(' ');
  return ms;
}

/** Processes that this node started. */
function workers(pid) {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const tasks = readdirSync(`/proc/${pid}/task`).map((task) => {
    try {
      return readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
    } catch {
      return '';
    }
  });
  return [...new Set([text, ...tasks].join(' ').split(/\s+/).filter(Boolean).map(Number))];
}

/** The child that has used most processor time lately. */
async function busiest(pid) {
  const used = (child) => {
    try {
      const fields = readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1].split(' ');
      return Number(fields[11]) + Number(fields[12]);
    } catch {
      return 0;
    }
  };
  const before = new Map(workers(pid).map((child) => [child, used(child)]));
  await new Promise((resolve) => setTimeout(resolve, 150));
  const rows = workers(pid).map((child) => [child, used(child) - (before.get(child) ?? 0)]);
  return rows.sort((a, b) => b[1] - a[1])[0]?.[0];
}

const worked = (page) =>
  page.evaluate(() => window.__potluck.stats()).then(({ blocks, blocks_verified, blocks_failed }) => {
    assert.equal(blocks_failed, 0, 'no block was refused');
    assert.equal(blocks_verified, blocks, 'every block was verified');
    assert.ok(blocks > 0, 'the film went through the planner');
  });

/** Yellow pixels in the lower third of the window: the styled subtitles of the foreign film. */
async function yellow(page) {
  const { width, height } = page.viewportSize();
  const shot = await page.screenshot({ clip: { x: 0, y: (height * 2) / 3, width, height: height / 3 } });
  const other = await page.context().newPage();
  const count = await other.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, picture.width, picture.height);
    let yellow = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at] > 230 && data[at + 1] > 230 && data[at + 2] < 40) yellow += 1;
    return yellow;
  }, shot.toString('base64'));
  await other.close();
  return count;
}

/** Waits until the styled line has added its pixels. */
async function yellowAfter(page, act) {
  const before = await yellow(page);
  await act();
  for (let tries = 0; tries < 40; tries += 1) {
    const now = await yellow(page);
    if (now > before + 1000) return now;
  }
  assert.fail('the styled line was not drawn');
}

test('HEVC with AC-3 and ASS subtitles in Matroska plays with two seeks', async (t) => {
  const page = await play(t, foreign);
  await reach(page, 6);
  assert.ok(await hears(page), 'sound is decoded');
  const ahead = await seekTo(page, 40);
  const back = await seekTo(page, 13);
  await seek(page, 21.5);
  await page.keyboard.press(' ');
  const [plain, drawn] = [await yellow(page), await yellowAfter(page, () => page.keyboard.press('c'))];
  t.diagnostic(`yellow pixels: ${plain} before, ${drawn} with the line`);
  await page.keyboard.press(' ');
  await page.screenshot({ path: join(results(), 'ass.png') });
  await page.keyboard.press('i');
  await page.getByTestId('info-panel').getByText('HEVC').first().waitFor();
  await page.screenshot({ path: join(results(), 'transcoded.png') });
  const { watch, stats } = await numbers(page);
  t.diagnostic(`first frame ${page.first_frame_ms} ms, seeks ${ahead.toFixed(0)} and ${back.toFixed(0)} ms; ${JSON.stringify(stats)}`);
  assert.deepEqual(watch.stalls, [], 'no wait for a frame was longer than half a second');
  await worked(page);
  assert.ok(stats.bytes.webrtc > 0, 'transcoded segments come over WebRTC, as blocks');
  assert.deepEqual(page.elsewhere, [], 'no other host was asked for anything');
  assert.deepEqual(page.faults, []);
});

test('on a narrow line the page takes a lower rung without a gap', async (t) => {
  const page = await play(t, foreign, { prepare: blockUdp });
  await seek(page, 1.5);
  // The line gets narrow for somebody who watches, not for somebody who has just begun: a dozen seconds are there.
  await page.waitForFunction(() => {
    const { buffered, currentTime } = document.querySelector('video');
    return buffered.length > 0 && buffered.end(buffered.length - 1) > currentTime + 12;
  });
  await page.evaluate(() => (window.watch.stalls.length = 0));
  assert.equal(await page.evaluate(() => document.querySelector('video').videoHeight), 720);
  const line = await page.context().newCDPSession(page);
  const narrow = { offline: false, latency: 20, downloadThroughput: (2200 * 1000) / 8, uploadThroughput: 100_000 };
  await line.send('Network.enable');
  await line.send('Network.emulateNetworkConditions', narrow);
  await page.waitForFunction(() => document.querySelector('video').videoHeight === 480, null, { timeout: 90_000 });
  const { watch } = await numbers(page);
  assert.deepEqual(watch.stalls, [], 'no wait for a frame was longer than half a second');
  // The switch is at the head of a segment, where a second ends: looked at in the middle of one, and standing still.
  const { watch: { media } } = await numbers(page);
  await reach(page, Math.floor(media) + 1.4);
  await page.evaluate(() => document.querySelector('video').pause());
  await showsSecond(page, Math.floor((await numbers(page)).watch.media));
  await worked(page);
});

test('high dynamic range is mapped to what the screen shows', async (t) => {
  const page = await play(t, bright);
  await seek(page, 3.02);
  const shown = await colour(page);
  const file = join(folder, 'Bright Film (2024)', 'Bright Film (2024).mkv');
  const mean = (filters) => {
    const args = ['-v', 'error', '-ss', '3.02', '-i', file, '-frames:v', '1', '-vf', `${filters},scale=64:36:flags=area,format=rgb24`];
    const raw = execFileSync('ffmpeg', [...args, '-f', 'rawvideo', '-']);
    const sum = [0, 0, 0];
    raw.forEach((value, at) => (sum[at % 3] += value));
    return sum.map((s) => s / (raw.length / 3));
  };
  const mapped = mean(
    'zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p',
  );
  const unmapped = mean('format=yuv420p');
  const distance = (a, b) => Math.max(...a.map((value, c) => Math.abs(value - b[c])));
  const told = [shown, mapped, unmapped].map((rgb) => rgb.map((c) => c.toFixed(0)).join(' ')).join('; ');
  t.diagnostic(`shown, mapped by ffmpeg, unmapped: ${told}`);
  assert.ok(distance(shown, mapped) < 16, `the colours are those of a mapped picture: ${told}`);
  assert.ok(distance(shown, mapped) < distance(shown, unmapped), `and not those of an unmapped one: ${told}`);
});

test('a second viewer shares the transcode', async (t) => {
  const first = await play(t, foreign);
  await seek(first, 50);
  const ask = await api(node);
  const films = async () => (await (await ask('/status')).json()).transcodes.filter(({ rendition }) => rendition.startsWith('v'));
  const second = await play(t, foreign);
  await Promise.all([seek(first, 28), seek(second, 28)]);
  const running = await films();
  assert.equal(running.length, 1, `one transcode runs: ${JSON.stringify(running)}`);
  assert.equal(running[0].viewers, 2);
  await Promise.all([first, second].map((page) => reach(page, 31)));
  // Both have shown the same seconds, and no other transcode made any of them.
  const [one, ...others] = await films();
  assert.deepEqual(others, []);
  assert.equal(one.rendition, running[0].rendition);
  assert.equal(one.viewers, 2);
  await Promise.all([first, second].map(worked));
});

test('a worker that is killed makes a pause of less than a second', async (t) => {
  const fresh = await startNode({ library: folder });
  t.after(() => fresh.stop());
  const [film] = titled(await imported(fresh, 2));
  const page = await play(t, film, { on: fresh });
  await reach(page, 2);
  const killed = [];
  for (const second of [4, 6, 8]) {
    await reach(page, second);
    const worker = await busiest(fresh.pid);
    process.kill(worker, 'SIGKILL');
    killed.push(worker);
  }
  await reach(page, 20);
  const { watch } = await numbers(page);
  t.diagnostic(`killed ${killed.join(', ')}; waits ${JSON.stringify(watch.stalls)}`);
  assert.deepEqual(watch.stalls.filter(({ ms }) => ms > 1000), [], 'the viewer noticed no more than a short pause');
  assert.deepEqual(page.faults, []);
});

test('a device that fails in the middle is dropped, and the film goes on in software', async (t) => {
  const device = graphicsDevice();
  // The stand-in writes pictures unpacked: a small rung, so that they stay small.
  const fresh = await startNode({ library: folder, env: { ...device.env, POTLUCK_PLAYBACK__LADDER: '240:600' } });
  t.after(async () => {
    await fresh.stop();
    device.remove();
  });
  const [film] = titled(await imported(fresh, 2));
  const ask = await api(fresh);
  const page = await play(t, film, { on: fresh });
  await reach(page, 3);
  await page.keyboard.press('i');
  const encoder = () => page.getByTestId('picture-path').getAttribute('data-encoder');
  assert.equal(await encoder(), 'h264_vaapi');
  device.failAfter(5);
  await reach(page, 24);
  await page.waitForFunction(() => document.querySelector('[data-testid=picture-path]').dataset.encoder === 'libx264', null, {
    timeout: 30_000,
  });
  const { hardware } = await (await ask('/status')).json();
  t.diagnostic(JSON.stringify(hardware.devices.map(({ api, path, problem }) => ({ api, path, problem }))));
  assert.match(hardware.devices.find(({ api }) => api === 'vaapi').problem, /\S/, 'the status page says why it is not used');
  const { watch } = await numbers(page);
  t.diagnostic(`waits ${JSON.stringify(watch.stalls)}`);
  assert.deepEqual(watch.stalls.filter(({ ms }) => ms > 1000), [], 'the viewer noticed no more than a short pause');
  await showsSecond(page, await page.evaluate(() => document.querySelector('video').currentTime));
  await worked(page);
});

test('with the cache at its quota the film plays on', async (t) => {
  const small = await startNode({ library: folder, env: { POTLUCK_PLAYBACK__DISK_CACHE_MIB: '4' } });
  t.after(() => small.stop());
  const [film] = titled(await imported(small, 2));
  const page = await play(t, film, { on: small });
  await reach(page, 12);
  await seek(page, 45);
  await finish(page);
  await seek(page, 5.5);
  await showsSecond(page, 5);
  await worked(page);
  const size = (path) =>
    !existsSync(path) ? 0 : statSync(path).isDirectory() ? readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0) : statSync(path).size;
  const kept = size(join(small.data, 'renditions'));
  t.diagnostic(`${kept} bytes are kept`);
  // What plays is never taken away, so a few segments may lie above the quota.
  assert.ok(kept < 10 * 1024 * 1024, `${kept} bytes are kept`);
});

test('when all places are taken the page says so, and plays when one is free', async (t) => {
  const single = await startNode({ library: folder, env: { POTLUCK_PLAYBACK__TRANSCODES: '1' } });
  t.after(() => single.stop());
  const [film, other] = titled(await imported(single, 2));
  const first = await play(t, film, { on: single });
  await reach(first, 2);
  let waits;
  const told = new Promise((resolve) => (waits = resolve));
  const waiting = play(t, other, { on: single, ready: 120_000, prepare: waits });
  const page = await told;
  await page.getByTestId('waiting-reason').getByText('trying again in').waitFor({ timeout: 60_000 });
  await first.goto(`${single.url}/`);
  const second = await waiting;
  await reach(second, 2);
});

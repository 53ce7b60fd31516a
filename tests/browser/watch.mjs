// Plays a film in Chromium and watches what is really shown: frames, waits, seeks, colours.
import { createSocket } from 'node:dgram';
import { signedIn } from './node.mjs';

/** Watches the frames that are really shown: their number, and the longest wait for one while the film should run. */
function watchFrames() {
  const video = document.querySelector('video');
  const watch = (window.watch = { frames: 0, stalls: [], seeking: false, ended: false, latest: performance.now(), media: 0 });
  const excused = () => video.paused || video.seeking || video.ended || watch.seeking;
  const shown = (now, { mediaTime }) => {
    if (!excused() && watch.frames > 0 && now - watch.latest > 500) watch.stalls.push({ at: mediaTime, ms: now - watch.latest });
    watch.latest = now;
    watch.frames += 1;
    watch.media = mediaTime;
    if (!video.seeking) watch.seeking = false;
    video.requestVideoFrameCallback(shown);
  };
  video.requestVideoFrameCallback(shown);
  // A pause that somebody asked for is no wait.
  video.addEventListener('play', () => (watch.latest = performance.now()));
  video.addEventListener('ended', () => (watch.ended = true));
}

/**
 * Blocks UDP between the page and the node as a firewall does: the answer's candidates name a port that takes every
 * packet and never answers. Returns the number of packets that were swallowed.
 */
export async function blockUdp(page) {
  const hole = createSocket('udp4');
  let swallowed = 0;
  hole.on('message', () => swallowed++);
  await new Promise((resolve) => hole.bind(0, '127.0.0.1', resolve));
  page.once('close', () => hole.close());
  await page.route('**/api/v1/webrtc', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    const response = await route.fetch();
    const { sdp } = await response.json();
    const candidate = /^(a=candidate:\S+ \d+ udp \d+) \S+ \d+/gim;
    await route.fulfill({ response, json: { sdp: sdp.replace(candidate, `$1 127.0.0.1 ${hole.address().port}`) } });
  });
  return () => swallowed;
}

/** Comes to an item by its page, which opens the connection, as a person does, and presses the play button. */
export async function play(browser, node, id, { prepare, ready = 30_000 } = {}) {
  const page = await signedIn(browser, node);
  page.prepared = await prepare?.(page);
  await page.goto(`${node.url}/item/${id}`);
  await page.getByTestId('play').first().waitFor();
  await page.waitForLoadState('networkidle');
  const asked = Date.now();
  await page.getByTestId('play').first().click();
  await page.waitForSelector('video');
  await page.evaluate(watchFrames);
  await page.waitForFunction(() => window.watch.frames > 0, null, { timeout: ready });
  page.first_frame_ms = Date.now() - asked;
  return page;
}

export const reach = (page, seconds) =>
  page.waitForFunction((t) => window.watch.media >= t, seconds, { timeout: 150_000, polling: 250 });

/** Seeks, and returns the milliseconds until a frame of the new place was shown. */
export const seek = (page, seconds) =>
  page.evaluate(async (t) => {
    const video = document.querySelector('video');
    window.watch.seeking = true;
    const began = performance.now();
    video.currentTime = t;
    await new Promise((resolve) => {
      const shown = (_, { mediaTime }) =>
        Math.abs(mediaTime - t) < 2 ? resolve() : video.requestVideoFrameCallback(shown);
      video.requestVideoFrameCallback(shown);
    });
    return performance.now() - began;
  }, seconds);

export const finish = (page) => page.waitForFunction(() => window.watch.ended, null, { timeout: 150_000, polling: 250 });
export const numbers = (page) => page.evaluate(() => ({ watch: window.watch, stats: window.__potluck.stats() }));

/** The film's sound is decoded, not only its pictures. */
export const hears = (page) => page.evaluate(() => document.querySelector('video').webkitAudioDecodedByteCount > 0);

/** Mean red, green and blue, 0 to 255, of a part of the picture on show: x, y, width, height in parts of the whole. */
export const colour = (page, [x, y, width, height] = [0, 0, 1, 1]) =>
  page.evaluate(
    ([x, y, width, height]) => {
      const video = document.querySelector('video');
      const canvas = new OffscreenCanvas(64, 36);
      const context = canvas.getContext('2d');
      const [w, h] = [video.videoWidth, video.videoHeight];
      context.drawImage(video, x * w, y * h, width * w, height * h, 0, 0, 64, 36);
      const { data } = context.getImageData(0, 0, 64, 36);
      const sum = [0, 0, 0];
      for (let at = 0; at < data.length; at += 4) for (const c of [0, 1, 2]) sum[c] += data[at + c];
      return sum.map((s) => s / (data.length / 4));
    },
    [x, y, width, height],
  );

// Music in a real Chromium as verified blocks, joined to the sample: what leaves the page is recorded and compared with what went in.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { befriend } from './friends.mjs';
import { imported, signedIn, startBrowser, startNode } from './node.mjs';
import { blockUdp } from './watch.mjs';

const RATE = 44_100;
const HERTZ = 441.7;
const LOUD = 0.4;
/** Of what is too long to be decoded as a whole. */
const LONG_SECONDS = 1200;
/** Where the one tone is cut into tracks: at no round place, and nowhere near a zero. */
const CUTS = [0, 5 * RATE + 137, 10 * RATE + 1_001, 15 * RATE + 29];

const folder = mkdtempSync(join(tmpdir(), 'potluck-joined-'));
let node, browser, items;

function ffmpeg(...args) {
  execFileSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...args]);
}

function tagged(title, album, track, more = {}) {
  const tags = { title, album, track, artist: 'Tone', album_artist: 'Tone', ...more };
  return Object.entries(tags).flatMap(([key, value]) => ['-metadata', `${key}=${value}`]);
}

/** One tone in three tracks, each encoded by itself. */
function cut(album, ending, ...codec) {
  mkdirSync(join(folder, album));
  for (let part = 0; part < 3; part += 1) {
    const [from, to] = [CUTS[part], CUTS[part + 1]];
    const wave = `${LOUD}*sin(2*PI*${HERTZ}*(n+${from})/${RATE})`;
    const tone = `aevalsrc=${wave}|${wave}:s=${RATE}:d=${(to - from + 10) / RATE},atrim=end_sample=${to - from}`;
    ffmpeg('-f', 'lavfi', '-i', tone, ...codec, ...tagged(`${album} ${part + 1}`, album, part + 1), join(folder, album, `${part + 1}.${ending}`));
  }
}

before(async () => {
  cut('Flac', 'flac', '-sample_fmt', 's16');
  cut('Mp3', 'mp3', '-c:a', 'libmp3lame', '-b:a', '256k');
  // Where it tells its length in samples: most files do not, and have up to a millisecond less.
  cut('Aac', 'm4a', '-c:a', 'aac', '-b:a', '256k', '-movie_timescale', String(RATE));
  mkdirSync(join(folder, 'other'));
  const noise = ['-f', 'lavfi', '-i', `anoisesrc=r=${RATE}:d=40:a=0.3:seed=5`, '-ac', '2'];
  ffmpeg(...noise, ...tagged('Rain', 'Weather', 1), join(folder, 'other/rain.flac'));
  const quiet = ['-f', 'lavfi', '-i', `aevalsrc=${LOUD}*sin(2*PI*${HERTZ}*t)|${LOUD}*sin(2*PI*${HERTZ}*t):s=${RATE}:d=20`];
  const gains = { REPLAYGAIN_TRACK_GAIN: '-6.02 dB', REPLAYGAIN_TRACK_PEAK: '0.4', REPLAYGAIN_ALBUM_GAIN: '-12.04 dB', REPLAYGAIN_ALBUM_PEAK: '0.4' };
  ffmpeg(...quiet, ...tagged('Measured', 'Weather', 2, gains), join(folder, 'other/measured.flac'));
  const long = ['-f', 'lavfi', '-i', `sine=330:r=${RATE}:d=${LONG_SECONDS}`, '-ac', '2'];
  ffmpeg(...long, '-b:a', '32k', ...tagged('Endless', 'Weather', 3), join(folder, 'other/endless.mp3'));
  ffmpeg(...long, ...tagged('Set', 'Weather', 4), join(folder, 'other/set.flac'));
  // What no browser plays; of the first nobody reads the tags.
  ffmpeg('-f', 'lavfi', '-i', 'anoisesrc=r=44100:d=60:a=0.3:seed=7', '-ac', '2', '-c:a', 'wmav2', join(folder, 'other/foreign.wma'));
  ffmpeg(...quiet, '-c:a', 'alac', ...tagged('Apple', 'Weather', 5), join(folder, 'other/apple.m4a'));
  [node, browser] = await Promise.all([startNode({ library: folder, kind: 'music' }), startBrowser()]);
  items = await imported(node, 15);
});
after(async () => {
  await browser?.close();
  await node?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const track = (title) => items.find((item) => item.title === title);

/** A page whose sound is recorded, left channel, from when it begins: `window.heard()` gives it with the frame of the context at which it begins. */
async function at(t, path, prepare, on = node) {
  const page = await signedIn(browser, on, { viewport: { width: 1280, height: 800 }, bypassCSP: true });
  t.after(() => page.context().close());
  page.plainly = [];
  page.on('request', (request) => /\/(file|sound)(\?|$)/.test(request.url()) && page.plainly.push(request.url()));
  await prepare?.(page);
  await page.addInitScript(() => {
    const code = `registerProcessor('tap', class extends AudioWorkletProcessor {
      process([input]) {
        if (input[0]) this.port.postMessage({ frame: currentFrame, samples: input[0].slice() });
        return true;
      }
    })`;
    const pieces = [];
    window.started = [];
    window.heard = () => {
      const first = pieces[0]?.frame ?? 0;
      const whole = pieces.every(({ frame, samples }, i) => i === 0 || frame === pieces[i - 1].frame + pieces[i - 1].samples.length);
      return { first, whole, samples: pieces.flatMap(({ samples }) => [...samples]) };
    };
    const { connect } = AudioNode.prototype;
    AudioNode.prototype.connect = function (target, ...rest) {
      if (target instanceof AudioDestinationNode) {
        this.context.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))).then(() => {
          const tap = new AudioWorkletNode(this.context, 'tap', { numberOfOutputs: 0 });
          tap.port.onmessage = ({ data }) => pieces.push(data);
          connect.call(this, tap);
        });
      }
      return connect.call(this, target, ...rest);
    };
    const { start } = AudioBufferSourceNode.prototype;
    AudioBufferSourceNode.prototype.start = function (when, from = 0, ...rest) {
      const frames = (seconds) => Math.round(seconds * this.buffer.sampleRate);
      window.started.push({ at: frames(when), from: frames(from), length: this.buffer.length });
      return start.call(this, when, from, ...rest);
    };
  });
  await page.goto(on.url + path);
  return page;
}

const heardOf = (page, title) =>
  page.locator(`[data-testid=music-bar][data-item="${track(title).id}"]`).waitFor({ timeout: 30_000 });
const isAt = (page, seconds) =>
  page.waitForFunction((s) => Number(document.querySelector('[data-testid=music-seek]')?.value) >= s, seconds, { timeout: 30_000 });
const origin = (page) =>
  page.getByTestId('music-origin').first().evaluate(({ dataset }) => ({ ...dataset }));

/** Plays an album to its third track. */
async function playThrough(t, album) {
  const page = await at(t, `/item/${track(`${album} 1`).show}`);
  await page.getByTestId('play').click();
  await heardOf(page, `${album} 3`);
  await isAt(page, 1);
  return page;
}

/** Where each of the tracks began, and how long it was, in frames of the context. */
async function placesOf(page) {
  const started = await page.evaluate(() => window.started);
  // What was decoded as a whole is the last that begins at that place.
  const places = new Map(started.map(({ at, from, length }) => [at - from, length]));
  return [...places].map(([at, length]) => ({ at, length }));
}

test('an album in flac leaves the page as the one tone that it was, to the sample', async (t) => {
  const page = await playThrough(t, 'Flac');
  const places = await placesOf(page);
  assert.deepEqual(places.map(({ length }) => length), [0, 1, 2].map((part) => CUTS[part + 1] - CUTS[part]));
  const begin = places[0].at;
  assert.deepEqual(places.map(({ at }) => at - begin), CUTS.slice(0, 3));
  const { first, whole, samples } = await page.evaluate(() => window.heard());
  assert.ok(whole, 'nothing is missing in the recording');
  let worst = 0;
  for (const join of CUTS.slice(1, 3)) {
    for (let frame = join - RATE; frame < join + RATE / 2; frame += 1) {
      const wanted = LOUD * Math.sin((2 * Math.PI * HERTZ * frame) / RATE);
      worst = Math.max(worst, Math.abs(samples[begin + frame - first] - wanted));
    }
  }
  t.diagnostic(`around two joins, what was heard differs by at most ${worst.toExponential(1)} from the tone`);
  assert.ok(worst < 1e-4, `a sample is ${worst} beside the tone`);
});

for (const [album, most] of [['Mp3', 0.05], ['Aac', 0.05]]) {
  test(`an album in ${album} has no gap and nothing too much`, async (t) => {
    const page = await playThrough(t, album);
    const places = await placesOf(page);
    const begin = places[0].at;
    const gaps = [1, 2].map((part) => places[part].at - places[part - 1].at - places[part - 1].length);
    const lengths = places.map(({ length }, part) => length - (CUTS[part + 1] - CUTS[part]));
    const { first, samples } = await page.evaluate(() => window.heard());
    let worst = 0;
    for (const part of [1, 2]) {
      // Further into a track, encoders differ from it by more than a gap would.
      for (let frame = -200; frame < 200; frame += 1) {
        const wanted = LOUD * Math.sin((2 * Math.PI * HERTZ * (CUTS[part] + frame)) / RATE);
        worst = Math.max(worst, Math.abs(samples[places[part].at + frame - first] - wanted));
      }
    }
    t.diagnostic(`gaps ${gaps} frames, lengths beside ${lengths} frames, at most ${worst.toFixed(4)} beside the tone; began at ${begin}`);
    assert.deepEqual(gaps, [0, 0]);
    assert.deepEqual(lengths, [0, 0, 0]);
    assert.ok(worst < most, `a sample is ${worst} beside the tone`);
  });
}

test('a track comes as verified blocks over WebRTC, and goes on in the same place when all of it is there', async (t) => {
  const page = await at(t, `/item/${track('Rain').show}`);
  await page.waitForLoadState('networkidle');
  await page.getByRole('button', { name: 'Play Rain' }).click();
  await isAt(page, 1);
  await page.getByTestId('music-origin').first().waitFor();
  assert.deepEqual(await origin(page), { testid: 'music-origin', source: 'webrtc', verified: 'true' });
  assert.deepEqual(page.plainly, [], 'the file was not asked for by its address');
  const started = await page.evaluate(() => window.started);
  assert.equal(new Set(started.map(({ at, from }) => at - from)).size, 1, 'it stayed in place');
  await page.getByTestId('music-queue').click();
  await page.getByTestId('music-supply').locator('summary').click();
  const verified = await page.getByTestId('verified').locator('strong').innerText();
  assert.ok(Number(verified) >= 2, `${verified} blocks were verified`);
  // A seek to what came needs nothing more.
  await page.keyboard.press('Escape');
  await page.getByTestId('music-seek').evaluate((slider) => {
    slider.value = '30';
    slider.dispatchEvent(new Event('change', { bubbles: true }));
  });
  await isAt(page, 30.3);
  assert.deepEqual(page.plainly, []);
  assert.deepEqual(page.elsewhere, []);
});

test('where UDP is blocked the same blocks come over HTTPS, and are verified all the same', async (t) => {
  const page = await at(t, `/item/${track('Rain').show}`, blockUdp);
  await page.getByRole('button', { name: 'Play Rain' }).click();
  await isAt(page, 0.5);
  await page.getByTestId('music-origin').first().waitFor();
  assert.deepEqual(await origin(page), { testid: 'music-origin', source: 'https', verified: 'true' });
  assert.deepEqual(page.plainly, []);
});

/** Moves the slider of the bar, as a person does. */
const seekTo = (page, seconds) =>
  page.getByTestId('music-seek').first().evaluate((slider, to) => {
    slider.value = String(to);
    slider.dispatchEvent(new Event('change', { bubbles: true }));
  }, seconds);
/** Sound leaves the page, and is not only counted. */
const hears = (page) =>
  page.waitForFunction(() => window.heard().samples.slice(-8192).some((sample) => Math.abs(sample) > 0.01), null, {
    timeout: 30_000,
  });
const isSilent = (page) => page.locator('[data-testid=music-bar][data-playing=false]').waitFor({ timeout: 30_000 });

for (const [title, made, next] of [['Endless', false, 'Set'], ['Set', false, 'Apple'], ['foreign', true, null], ['Apple', true, null]]) {
  test(`${title}, which cannot be decoded as a whole, comes as verified blocks over WebRTC all the same`, async (t) => {
    const segments = [];
    const renditions = new Set();
    const page = await at(t, `/item/${track(title).show}`, (page) =>
      page.on('request', (request) => {
        const url = request.url();
        if (/\/hls\/[^/]+\/\d+\.m4s/.test(url)) segments.push(url);
        const asked = /\/renditions\/([^/]+)\/segments/.exec(url);
        if (asked) renditions.add(asked[1]);
      }),
    );
    await page.waitForLoadState('networkidle');
    await page.getByRole('button', { name: `Play ${title}` }).click();
    await isAt(page, 0.5);
    await hears(page);
    await page.getByTestId('music-origin').first().waitFor();
    assert.deepEqual(await origin(page), { testid: 'music-origin', source: 'webrtc', verified: 'true' });
    // Far ahead of anything that came, and back.
    const { duration } = track(title);
    const pressed = Date.now();
    await seekTo(page, duration * 0.8);
    await isAt(page, duration * 0.8 + 0.3);
    t.diagnostic(`heard ${Date.now() - pressed - 300} ms after the seek`);
    await hears(page);
    assert.equal((await origin(page)).verified, 'true');
    // What was asked for is what the file has, unless no browser plays that.
    assert.deepEqual([...renditions], [made ? 'a0-aac2' : 'a0']);
    await page.getByTestId('music-queue').click();
    await page.getByTestId('music-supply').locator('summary').click();
    await page.waitForFunction(() => Number(document.querySelector('[data-testid=verified] strong')?.textContent) >= 4, null, {
      timeout: 30_000,
    });
    await page.keyboard.press('Escape');
    await seekTo(page, duration - 1.5);
    await (next ? heardOf(page, next) : isSilent(page));
    if (next) await isAt(page, 0.5);
    assert.deepEqual([page.plainly, segments, page.elsewhere, page.faults], [[], [], [], []]);
  });
}

for (const title of ['Endless', 'Set']) {
  test(`between the segments of ${title} is no silence`, async (t) => {
    const page = await at(t, `/item/${track(title).show}`);
    await page.getByRole('button', { name: `Play ${title}` }).click();
    await isAt(page, 13.5);
    const quietest = await page.evaluate((rate) => {
      const { samples } = window.heard();
      const parts = [];
      // The last twelve seconds, with two joins in them, in pieces of 10 ms.
      for (let at = samples.length - 12 * rate; at < samples.length; at += rate / 100)
        parts.push(Math.max(...samples.slice(at, at + rate / 100).map(Math.abs)));
      return Math.min(...parts);
    }, 48_000);
    assert.ok(quietest > 0.08, `a piece has no sample above ${quietest}`);
    assert.deepEqual(page.plainly, []);
  });
}

test('a pause holds a long track where it is', async (t) => {
  const page = await at(t, `/item/${track('Set').show}`);
  await page.getByRole('button', { name: 'Play Set' }).click();
  await isAt(page, 1);
  await page.getByTestId('music-toggle').first().click();
  await isSilent(page);
  const stood = Number(await page.getByTestId('music-seek').first().inputValue());
  await seekTo(page, 600);
  await page.getByTestId('music-toggle').first().click();
  await isAt(page, 600.3);
  assert.ok(stood < 30);
  assert.deepEqual(page.plainly, []);
});

test("a friend's long track comes from the friend's node directly", async (t) => {
  const guest = await startNode();
  t.after(() => guest.stop());
  befriend(node, 'Host', guest, 'Guest');
  const shared = (await imported(guest, items.length)).find(({ title }) => title === 'Set');
  const page = await at(t, `/item/${shared.show}`, undefined, guest);
  await page.waitForLoadState('networkidle');
  await page.getByRole('button', { name: 'Play Set' }).click();
  await isAt(page, 0.5);
  await page.locator('[data-testid=music-origin][data-source=friend][data-verified=true]').first().waitFor();
  await seekTo(page, 900);
  await isAt(page, 900.3);
  assert.equal((await origin(page)).source, 'friend');
  assert.deepEqual(page.plainly, []);
});

test('where UDP is blocked the blocks of a long track come over HTTPS', async (t) => {
  const page = await at(t, `/item/${track('Set').show}`, blockUdp);
  await page.getByRole('button', { name: 'Play Set' }).click();
  await isAt(page, 0.5);
  await page.getByTestId('music-origin').first().waitFor();
  assert.deepEqual(await origin(page), { testid: 'music-origin', source: 'https', verified: 'true' });
  assert.deepEqual(page.plainly, []);
});

/** Neither the channel nor blocks by their names: `ends` is what becomes of a request for one. */
const without = (ends) => async (page) => {
  await blockUdp(page);
  await page.route('**/ipfs/**', ends);
};

for (const [title, ending] of [['Endless', '/file'], ['foreign', '/sound']]) {
  test(`${title} comes from its address where no blocks can be had, and says that it was not verified`, async (t) => {
    const page = await at(t, `/item/${track(title).show}`, without((route) => route.abort()));
    await page.getByRole('button', { name: `Play ${title}` }).click();
    await isAt(page, 0.5);
    await hears(page);
    assert.deepEqual(await origin(page), { testid: 'music-origin', source: 'https', verified: 'false' });
    assert.ok(page.plainly.length > 0 && page.plainly.every((url) => new URL(url).pathname.endsWith(ending)));
    await seekTo(page, 30);
    await isAt(page, 30.3);
  });
}

test('blocks that never come do not leave it silent', async (t) => {
  const page = await at(t, `/item/${track('Endless').show}`, without(() => {}));
  await page.getByRole('button', { name: 'Play Endless' }).click();
  await isAt(page, 0.5);
  await hears(page);
  assert.equal((await origin(page)).verified, 'false');
});

test('what tags say of the loudness is what is heard', async (t) => {
  const page = await at(t, `/item/${track('Measured').show}`);
  await page.getByRole('button', { name: 'Play Measured' }).click();
  await isAt(page, 1);
  const loudest = () =>
    page.evaluate(() => Math.max(...window.heard().samples.slice(-8192).map((sample) => Math.abs(sample))));
  assert.ok(Math.abs((await loudest()) - LOUD / 4) < 0.002, `as the album: ${await loudest()}`);
  await page.getByTestId('music-queue').click();
  await page.getByTestId('music-loudness').locator('summary').click();
  for (const [mode, wanted] of [['track', LOUD / 2], ['off', LOUD]]) {
    await page.getByTestId('gain-mode').selectOption(mode);
    const begun = Number(await page.getByTestId('music-seek').first().inputValue());
    await isAt(page, begun + 1);
    assert.ok(Math.abs((await loudest()) - wanted) < 0.002, `${mode}: ${await loudest()}`);
  }
});

// Starts a real node on a library made for the test, and Chromium to look at it.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, existsSync, writeFileSync } from 'node:fs';
import { tmpdir, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), '.cache/potluck/target');
export const potluck = process.env.POTLUCK ?? join(target, 'debug/potluck');
/** Nothing listens beyond this machine, nor at a port that another node has. */
const LOOPBACK = {
  POTLUCK_WEBRTC__LISTEN: '127.0.0.1:0',
  POTLUCK_FRIENDS__LISTEN: '127.0.0.1:0',
  POTLUCK_IPFS__LISTEN: '/ip4/127.0.0.1/tcp/0',
};
export const sign_in = { username: 'cook', password: 'a pinch of salt' };

/** The demo films, `seconds` long each, made once a machine and kept in the cache folder. */
export function films(seconds, ...which) {
  const folder = join(homedir(), '.cache/potluck', `films-${seconds}s-${which.join('-') || 'all'}`);
  execFileSync(join(here, '../fixtures/demo.sh'), [folder, String(seconds), ...which], { stdio: 'inherit' });
  return folder;
}

/** The demo comics, made once a machine and kept in the cache folder. */
export function comics() {
  const folder = join(homedir(), '.cache/potluck/comics');
  execFileSync(join(here, '../fixtures/comic.sh'), [folder], { stdio: 'inherit' });
  return folder;
}

/** The demo music, made once a machine and kept in the cache folder. */
export function music() {
  const folder = join(homedir(), '.cache/potluck/music');
  execFileSync(join(here, '../fixtures/music.sh'), [folder], { stdio: 'inherit' });
  return folder;
}

/** Films that no browser here plays as they are, made once a machine. */
export function foreignFilms() {
  const folder = join(homedir(), '.cache/potluck/foreign');
  execFileSync(join(here, '../fixtures/foreign.sh'), [folder], { stdio: 'inherit' });
  return folder;
}

/**
 * A software driver that stands in for a graphics device, and the environment of a node that uses it. `failAfter(n)`: from
 * the n-th picture of a worker on, its encoder says that the hardware is busy.
 */
export function graphicsDevice() {
  const folder = mkdtempSync(join(tmpdir(), 'potluck-device-'));
  for (const [source, library] of Object.entries({ driver: 'potluck_drv_video.so', display: 'display.so' })) {
    const args = ['-O2', '-shared', '-fPIC', '-o', join(folder, library), join(here, `../vaapi/${source}.c`), '-lva'];
    execFileSync('cc', args, { stdio: 'inherit' });
  }
  return {
    env: {
      POTLUCK_MEDIA__DEVICES: '/dev/null',
      LIBVA_DRIVER_NAME: 'potluck',
      LIBVA_DRIVERS_PATH: folder,
      LD_PRELOAD: join(folder, 'display.so'),
    },
    failAfter: (pictures) => writeFileSync(join(folder, 'fail-after'), String(pictures)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A running node. `library` is added as `movies`, for those that `visibility` says, before it starts; `env` overrides its settings. */
export async function startNode({ library, kind = 'movies', visibility = 'private', env = {} } = {}) {
  const data = mkdtempSync(join(tmpdir(), 'potluck-browser-'));
  const run = (args, input) => execFileSync(potluck, ['--data', data, ...args], { input, encoding: 'utf8' });
  run(['init', '--admin', sign_in.username, '--password-stdin'], sign_in.password);
  if (library) run(['library', 'add', 'Films', '--kind', kind, '--path', library, '--visibility', visibility]);
  let running = await serve(data, env);
  const end = async (signal) => {
    running.child.kill(signal);
    await running.exited;
  };
  return {
    data,
    get url() {
      return running.url;
    },
    get pid() {
      return running.child.pid;
    },
    log: () => running.log(),
    /** Ends it as a power cut does. */
    kill: () => end('SIGKILL'),
    /** Starts it again after that, at another address. */
    async restart() {
      running = await serve(data, env);
    },
    async stop() {
      await end('SIGTERM');
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Starts a node on its data, and waits until it is ready. */
async function serve(data, env) {
  const child = spawn(potluck, ['--data', data, 'serve', '--listen', '127.0.0.1:0'], {
    env: { ...process.env, ...LOOPBACK, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (text) => (log += text));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const line = await Promise.race([
    new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve)),
    exited.then((code) => Promise.reject(new Error(`the node ended with ${code}:\n${log}`))),
  ]);
  const url = /https?:\/\/[^\s/]+/.exec(line)?.[0];
  if (!url) throw new Error(`no URL in: ${line}`);
  return { child, url, exited, log: () => log };
}

/** Runs `potluck` beside a node, as its owner does; returns what it prints. */
export function command(node, ...args) {
  return execFileSync(potluck, ['--data', node.data, ...args], { encoding: 'utf8' });
}

/** Signs in to a node's API, outside the browser: a function that fetches a path below `/api/v1`. */
export async function api(node) {
  const answer = await fetch(`${node.url}/api/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(sign_in),
  });
  if (!answer.ok) throw new Error(`sign-in failed: ${answer.status}`);
  const cookie = answer.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
  return async (path, options = {}) => {
    const answer = await fetch(`${node.url}/api/v1${path}`, { ...options, headers: { ...options.headers, cookie } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
}

/** The playable items, once there are `count` of them: looked up again whenever the node tells of a change. */
export async function imported(node, count) {
  const get = await api(node);
  const events = await get('/events', { signal: AbortSignal.timeout(180_000) });
  const present = async () => {
    const { items } = await (await get('/items?limit=500')).json();
    return items.filter((item) => item.state === 'present' && item.cid);
  };
  let items = await present();
  try {
    const changes = events.body[Symbol.asyncIterator]();
    while (items.length < count) {
      if ((await changes.next()).done) throw new Error('the event stream ended');
      items = await present();
    }
    return items;
  } catch (error) {
    throw new Error(`${items.length} of ${count} items were imported:\n${node.log()}`, { cause: error });
  }
}

/** Headless Chromium with nothing that calls home. `flags` are added. */
export async function startBrowser(flags = []) {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required', '--mute-audio',
      ...flags,
    ],
  });
}

/** A page that is signed in, with these `options` of its context. */
export async function signedIn(browser, node, { viewport = { width: 1440, height: 900 }, ...options } = {}) {
  const page = await stranger(browser, node, { viewport, ...options });
  const answer = await page.context().request.post(`${node.url}/api/v1/login`, { data: sign_in });
  if (!answer.ok()) throw new Error(`sign-in failed: ${answer.status()}`);
  return page;
}

/** A page of somebody whom nobody knows. Requests to any other host and errors on the page are kept for the test to look at. */
export async function stranger(browser, node, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.elsewhere = [];
  page.faults = [];
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== node.url) page.elsewhere.push(request.url());
  });
  page.on('pageerror', (error) => page.faults.push(String(error)));
  return page;
}

/** A folder for screenshots, kept for a person to look at. */
export function results() {
  const folder = join(here, 'results');
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  return folder;
}

// browse.mjs URL MEBIBYTES WEBRTC: fetches that many 1 MiB blocks in headless Chromium with the page's own exchange,
// over WebRTC or HTTP alone, and prints what it took as JSON.
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = join(dirname(fileURLToPath(import.meta.url)), "../../../web");
const { chromium } = createRequire(join(web, "package.json"))(
  "playwright-core",
);
const [url, mebibytes, webrtc] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "potluck-bench-"));
const context = await chromium.launchPersistentContext(folder, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // The far side of the link is not localhost; without this the page would hash in JavaScript.
    `--unsafely-treat-insecure-origin-as-secure=${url}`,
  ],
});
try {
  const page = await context.newPage();
  page.on("console", (message) => console.error(message.text()));
  page.on("pageerror", (error) => console.error(error.message));
  await page.goto(url);
  await page.waitForFunction(() => window.createExchange);
  const result = await page.evaluate(measure, {
    count: Number(mebibytes),
    webrtc: webrtc === "true",
  });
  console.log(JSON.stringify(result));
} finally {
  await context.close();
  rmSync(folder, { recursive: true, force: true });
}

async function measure({ count, webrtc }) {
  const get = async (path) => (await fetch(path)).json();
  const cids = await get("/blocks");
  // The WebRTC run has no other way to the blocks, so that its figure is WebRTC's alone.
  const only = (url, init) =>
    webrtc && String(url).startsWith("/ipfs/")
      ? Promise.reject(new Error("off"))
      : fetch(url, init);
  const exchange = window.createExchange({ webrtc, fetch: only });
  const events = {};
  exchange.onEvent(
    ({ type, reason = "" }) =>
      (events[type + reason] = (events[type + reason] ?? 0) + 1),
  );
  const signal = new AbortController().signal;
  const take = (n) =>
    exchange.planner.fetchBlock(
      { cid: cids[n % cids.length], size: 1024 * 1024 },
      signal,
    );
  if (webrtc) {
    // Ready, and as many connections as it wants: none came for a while.
    let last = [0, performance.now()];
    while (last[0] === 0 || performance.now() - last[1] < 1500) {
      const { connections } = exchange.snapshot().webrtc;
      if (connections !== last[0]) last = [connections, performance.now()];
      if (performance.now() - last[1] > 20000)
        throw new Error("no WebRTC connection in 20 s");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const before = exchange.snapshot();
  const cpu = await get("/cpu");
  const start = performance.now();
  const blocks = Array.from({ length: count }, (_, n) => take(n));
  await Promise.all(blocks);
  const seconds = (performance.now() - start) / 1000;
  const cpuSeconds = (await get("/cpu")) - cpu;
  const after = exchange.snapshot();
  return {
    seconds,
    cpuSeconds,
    webrtcBytes: after.sources.webrtc.bytes - before.sources.webrtc.bytes,
    connections: after.webrtc.connections,
    roundTripMs: after.webrtc.roundTripMs,
    events,
  };
}

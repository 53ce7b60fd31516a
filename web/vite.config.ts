import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { mockNode } from './mock/plugin.ts';

// `POTLUCK_NODE=http://127.0.0.1:8080 npm run dev` develops against a running node; without it, against the mock in `mock/`.
const node = process.env.POTLUCK_NODE;

/** Writes `NAME.gz` beside every file that was built and shrinks: the node serves those and needs no compressor. */
const compressed = () => ({
  name: 'compressed',
  apply: 'build' as const,
  writeBundle({ dir = 'dist' }: { dir?: string }) {
    const files = readdirSync(dir, { recursive: true, encoding: 'utf8' });
    for (const name of files.filter((name) => /\.(js|css|html|svg|wasm)$/.test(name))) {
      writeFileSync(join(dir, `${name}.gz`), gzipSync(readFileSync(join(dir, name)), { level: 9 }));
    }
  },
});

export default defineConfig(({ command, mode }) => ({
  resolve: {
    alias: {
      // A list of Google's fonts and the way to fetch them: nothing is ever asked of another host.
      'lfa-ponyfill': fileURLToPath(new URL('src/ui/player/subtitles/no-remote-fonts.ts', import.meta.url)),
    },
  },
  // Its worker and WebAssembly are found beside it.
  optimizeDeps: { exclude: ['jassub'], include: ['jassub > throughput'] },
  worker: {
    format: 'es',
    // The node lets files of this name compile WebAssembly, and nothing else.
    rolldownOptions: { output: { entryFileNames: 'assets/wasm-worker-[hash].js' } },
  },
  plugins: [svelte(), compressed(), ...(command === 'serve' && mode !== 'test' && !node ? [mockNode()] : [])],
  build: {
    target: 'es2022',
    // The node's Content-Security-Policy allows no inline scripts, styles or data: URLs for scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    host: '127.0.0.1',
    proxy: node
      ? {
          '/api': { target: node, changeOrigin: true },
          '/ipfs': { target: node, changeOrigin: true },
          '/ipns': { target: node, changeOrigin: true },
        }
      : undefined,
  },
  test: { include: ['src/**/*.test.ts'] },
}));

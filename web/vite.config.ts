import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { mockNode } from './mock/plugin.ts';

// `POTLUCK_NODE=http://127.0.0.1:8080 npm run dev` develops against a running node; without it, against the mock in `mock/`.
const node = process.env.POTLUCK_NODE;

/** Writes `NAME.gz` beside every text file that was built: the node serves those and needs no compressor. */
const compressed = () => ({
  name: 'compressed',
  apply: 'build' as const,
  writeBundle({ dir = 'dist' }: { dir?: string }) {
    const files = readdirSync(dir, { recursive: true, encoding: 'utf8' });
    for (const name of files.filter((name) => /\.(js|css|html|svg)$/.test(name))) {
      writeFileSync(join(dir, `${name}.gz`), gzipSync(readFileSync(join(dir, name)), { level: 9 }));
    }
  },
});

export default defineConfig(({ command, mode }) => ({
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
        }
      : undefined,
  },
  test: { include: ['src/**/*.test.ts'] },
}));

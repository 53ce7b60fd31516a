import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { mockNode } from './mock/plugin.ts';

// `POTLUCK_NODE=http://127.0.0.1:8080 npm run dev` develops against a running node; without it, against the mock in `mock/`.
const node = process.env.POTLUCK_NODE;

export default defineConfig(({ command, mode }) => ({
  plugins: [svelte(), ...(command === 'serve' && mode !== 'test' && !node ? [mockNode()] : [])],
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

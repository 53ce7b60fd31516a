/**
 * Answers `/api/v1` from memory, so that the page can be developed and looked at without a node. Dev and preview only:
 * a build never holds it. `POTLUCK_MOCK` chooses what one finds: `household` (default), `empty` (the welcome), `huge`
 * (100,000 films).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Plugin } from 'vite';
import { MockNode, type Household } from './node.ts';

/** What the node sends with the page; kept here too, so that a violation shows early. */
const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; media-src 'self' blob:; worker-src 'self' blob:; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Of the worker that draws styled subtitles. */
const WASM_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

export function mockNode(): Plugin {
  const mock = new MockNode((process.env.POTLUCK_MOCK ?? 'household') as Household);
  const answer = (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    if (!/^\/(api\/v1|ip[fn]s)\//.test(request.url ?? '')) return next();
    mock.answer(request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(JSON.stringify({ error: 'internal', message: String(error) }));
    });
  };
  return {
    name: 'potluck-mock-node',
    configureServer: (server) => void server.middlewares.use(answer),
    configurePreviewServer: (server) => {
      server.middlewares.use((request, response, next) => {
        const compiles = request.url?.startsWith('/assets/wasm-worker-');
        response.setHeader('content-security-policy', compiles ? WASM_POLICY : POLICY);
        next();
      });
      server.middlewares.use(answer);
    },
  };
}

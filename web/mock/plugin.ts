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
  "default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; img-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

export function mockNode(): Plugin {
  const mock = new MockNode((process.env.POTLUCK_MOCK ?? 'household') as Household);
  const answer = (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    if (!/^\/(api\/v1|ipfs)\//.test(request.url ?? '')) return next();
    mock.answer(request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(JSON.stringify({ error: 'internal', message: String(error) }));
    });
  };
  return {
    name: 'potluck-mock-node',
    configureServer: (server) => void server.middlewares.use(answer),
    configurePreviewServer: (server) => {
      server.middlewares.use((_request, response, next) => {
        response.setHeader('content-security-policy', POLICY);
        next();
      });
      server.middlewares.use(answer);
    },
  };
}

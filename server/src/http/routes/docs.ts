import { readFileSync } from 'node:fs';
import { type ApiDocument, apiPage } from '../api-page.ts';
import type { HttpApp } from '../typebox-provider.ts';

/** Made of the routes' own schemas by `npm run generate`, and held equal to them by a test. */
const DOCUMENT = new URL('../../../../docs/openapi.json', import.meta.url);

/** How long a browser may keep them, in seconds. */
const KEPT = 300;

/**
 * The API's description, for people and for programs. It tells nothing that is not public, so it needs no key. Read and
 * made when it is first asked for.
 */
export function docsRoutes(app: HttpApp): void {
  let page: ReturnType<typeof apiPage> | undefined;
  let text: string | undefined;
  const document = () => {
    text ??= readFileSync(DOCUMENT, 'utf8');
    return text;
  };
  const schema = { hide: true };

  app.get('/docs', { schema }, async (_request, reply) => {
    page ??= apiPage(JSON.parse(document()) as ApiDocument);
    return reply
      .type('text/html; charset=utf-8')
      .header('cache-control', `max-age=${KEPT}`)
      .header('content-security-policy', page.policy)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer')
      .send(page.html);
  });

  app.get('/docs/openapi.json', { schema }, async (_request, reply) =>
    reply.type('application/json; charset=utf-8').header('cache-control', `max-age=${KEPT}`).send(document()),
  );
}

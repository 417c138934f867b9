import type { HttpApp } from './typebox-provider.ts';

/**
 * Calls from web pages of other origins (the CORS protocol of the Fetch standard). Keys travel in headers that a page
 * sets itself, so the browser's own credentials are never asked for.
 */
const METHODS = 'GET, POST, PUT, PATCH, DELETE';
const REQUEST_HEADERS = 'Authorization, Content-Type, X-API-Key, X-API-Case, X-Request-Id, X-User-ID, Idempotency-Key';
const EXPOSED_HEADERS = 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed';
/** Seconds for which a browser remembers what it may. */
const REMEMBERED = '600';

/** Lets pages of these origins call, and answers their browsers' questions. Without any, nothing is added to a request. */
export function allowOrigins(app: HttpApp, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const all = origins.includes('*');
  // As browsers write them: in small letters, without a slash behind.
  const known = new Set(origins.map((origin) => origin.toLowerCase()));

  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    // Caches must not give one origin's answer to another.
    if (!all) reply.header('vary', 'Origin');
    const allowed = origin !== undefined && (all || known.has(origin));
    if (allowed) {
      reply.header('access-control-allow-origin', all ? '*' : origin);
      reply.header('access-control-expose-headers', EXPOSED_HEADERS);
    }
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      done();
      return;
    }
    if (allowed) {
      reply.header('access-control-allow-methods', METHODS);
      reply.header('access-control-allow-headers', REQUEST_HEADERS);
      reply.header('access-control-max-age', REMEMBERED);
    }
    // Answered here: no route is asked, and no key is looked at. Without the headers the browser knows that it may not.
    reply.code(204).send();
  });
}

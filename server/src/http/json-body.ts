import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { AldisError } from '../domain/errors.ts';
import type { HttpApp } from './typebox-provider.ts';

/**
 * Bodies are JSON, and nothing else. They are kept as bytes until parsed, so that a repeated request can be told from a
 * changed one by what really came; that is only computed when the client asks for it by an Idempotency-Key.
 */
export function acceptJsonBodies(app: HttpApp): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    try {
      // The route need not be in it: no body is right for two of them.
      if (request.headers['idempotency-key'] !== undefined) request.bodyHash = hash('sha256', body, 'buffer');
      done(null, parseJson(body));
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)), undefined);
    }
  });
}

/** `undefined` for no body at all: whether one is needed, the route's schema says. */
function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  // Decoding would quietly put U+FFFD in the place of what is no UTF-8.
  if (!isUtf8(body)) throw new AldisError('malformed_json', 'The body is not UTF-8.');
  const text = body.toString('utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(error, text);
  }
}

/** Without its cause: the parser's own words repeat the body, which may be a customer's message. */
function malformed(error: unknown, text: string): AldisError {
  return new AldisError('malformed_json', `The body is not valid JSON${placeOf(error, text)}.`);
}

/** Where the parser stopped, when it says so. */
function placeOf(error: unknown, text: string): string {
  const position = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  if (position === undefined) return '';
  const before = text.slice(0, Number(position)).split('\n');
  return `: line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}
